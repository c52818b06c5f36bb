//! Handing a trace on: the dialog, what it copies and saves, and the form that asks for a passphrase.

use super::Page;
use anyhow::{Context, Result};
use serde_json::json;
use thirtyfour::{By, Key};

/// Runs before the page's own scripts: keeps what the page copies and saves where the test finds it, instead of a clipboard and a folder.
pub(crate) const KEEP_COPIES_AND_FILES: &str = r#"
const kept = (name, text) => { document.documentElement.dataset[name] = text; };
Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => kept('copied', text) } });
const make = URL.createObjectURL;
const blobs = new Map();
URL.createObjectURL = (blob) => { const url = make.call(URL, blob); blobs.set(url, blob); return url; };
HTMLAnchorElement.prototype.click = function () {
  const blob = blobs.get(this.href);
  const name = this.download;
  blob.arrayBuffer().then((buffer) => {
    let letters = '';
    for (const byte of new Uint8Array(buffer)) letters += String.fromCharCode(byte);
    kept('saved', name + '\n' + btoa(letters));
  });
};
"#;

/// The button that copies the link; it is there once the link is made.
const LINK: &str = "#share-link";
/// The box that takes prompts out of what is handed on.
const PROMPTS: &str = "#share-prompts";

/// What the dialog copies.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Copied {
    /// A link that carries the trace.
    Link,
    /// The trace as Markdown.
    Markdown,
}

/// What the dialog saves.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Saved {
    /// One HTML file with the page and the trace.
    Page,
    /// A database with the trace alone.
    Database,
    /// The chosen format.
    Format,
}

/// How a link is encrypted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lock {
    /// With a key that goes along in the link.
    Key,
    /// With a passphrase.
    Passphrase,
}

impl Page {
    /// The dialog that hands a trace on.
    pub(crate) fn share(&self) -> Share<'_> {
        Share(self)
    }

    /// Types a passphrase into the form that asks for it, and sends it.
    pub(crate) async fn unlock(&self, passphrase: &str) -> Result<()> {
        let field = self.driver.find(By::Css("#passphrase")).await?;
        field.clear().await?;
        field.send_keys(passphrase).await?;
        self.click_element("document.querySelector('form .primary')", "button that unlocks").await?;
        self.wait_idle().await
    }
}

/// The dialog that hands a trace on.
pub(crate) struct Share<'a>(&'a Page);

impl Share<'_> {
    /// Opens it, and waits until the link is made.
    pub(crate) async fn open(&self) -> Result<()> {
        self.0.click("button", "Share").await?;
        self.wait_link().await
    }

    /// Opens it for a trace whose link may be too long, and waits until its limit can be chosen.
    pub(crate) async fn open_at_limit(&self) -> Result<()> {
        self.0.click("button", "Share").await?;
        self.0.wait_for("document.querySelector('#share-limit')", "the dialog").await
    }

    /// Waits until the page is idle and the link made.
    pub(crate) async fn wait_link(&self) -> Result<()> {
        self.0.wait_for(&format!("document.querySelector('{LINK}')"), "the link").await
    }

    /// Its text; empty where it is closed.
    pub(crate) async fn text(&self) -> Result<String> {
        Ok(self.0.text_of("document.querySelector('.share')").await?.unwrap_or_default())
    }

    /// Copies something, and answers it. The page is loaded with [`KEEP_COPIES_AND_FILES`].
    pub(crate) async fn copy(&self, what: Copied) -> Result<String> {
        self.0.run("delete document.documentElement.dataset.copied").await?;
        self.press(match what {
            Copied::Link => LINK,
            Copied::Markdown => "#share-copy-markdown",
        })
        .await?;
        self.0.wait_until("return 'copied' in document.documentElement.dataset", "the copy").await?;
        self.0.read("return document.documentElement.dataset.copied").await
    }

    /// Saves a file, and answers its name and its bytes. The page is loaded with [`KEEP_COPIES_AND_FILES`].
    pub(crate) async fn save(&self, what: Saved) -> Result<(String, Vec<u8>)> {
        self.0.run("delete document.documentElement.dataset.saved").await?;
        self.press(match what {
            Saved::Page => "#share-page",
            Saved::Database => "#share-save-trimmed",
            Saved::Format => "#share-export",
        })
        .await?;
        self.0.wait_until("return 'saved' in document.documentElement.dataset", "the file").await?;
        let text: String = self.0.read("return document.documentElement.dataset.saved").await?;
        let (name, letters) = text.split_once('\n').context("A name and bytes.")?;
        Ok((name.to_owned(), decoded(letters)))
    }

    /// Clicks a button of the dialog, and waits for nothing.
    async fn press(&self, selector: &str) -> Result<()> {
        self.0.click_element(&format!("document.querySelector('{selector}')"), selector).await
    }

    /// Chooses structure and timing alone, and waits until the link is made anew.
    pub(crate) async fn choose_structure_only(&self) -> Result<()> {
        self.0.click("button", "Structure and timing only").await?;
        self.wait_link().await
    }

    /// Chooses how the link is encrypted.
    pub(crate) async fn choose_lock(&self, lock: Lock) -> Result<()> {
        let value = match lock {
            Lock::Key => "key",
            Lock::Passphrase => "passphrase",
        };
        self.0.choose_option("#share-lock", value).await?;
        self.0.wait_idle().await
    }

    /// Types the passphrase of the link, and waits until the link is made.
    pub(crate) async fn type_passphrase(&self, passphrase: &str) -> Result<()> {
        self.0.driver.find(By::Css("#share-passphrase")).await?.send_keys(passphrase.to_owned() + Key::Enter).await?;
        self.wait_link().await
    }

    /// Chooses how many letters the link may have, and waits until the link is made.
    pub(crate) async fn choose_limit(&self, letters: u32) -> Result<()> {
        self.0.choose_option("#share-limit", &letters.to_string()).await?;
        self.wait_link().await
    }

    /// Chooses the format whose title begins with `title`.
    pub(crate) async fn choose_format(&self, title: &str) -> Result<()> {
        let option = format!("(option) => option.text.startsWith({})", json!(title));
        let value: String =
            self.0.read(&format!("return [...document.querySelector('#share-format').options].find({option}).value")).await?;
        self.0.choose_option("#share-format", &value).await
    }

    /// Takes prompts out, and waits until the link is made anew.
    pub(crate) async fn take_out_prompts(&self) -> Result<()> {
        self.press(PROMPTS).await?;
        self.wait_link().await
    }

    /// Unfolds the examples of prompts that are taken out.
    pub(crate) async fn unfold_prompts(&self) -> Result<()> {
        self.0.run("document.querySelector('#share-examples-prompts').open = true").await?;
        Ok(())
    }

    /// Whether the box for prompts has the focus.
    pub(crate) async fn prompts_have_focus(&self) -> Result<bool> {
        self.0.holds(&format!("document.activeElement === document.querySelector('{PROMPTS}')")).await
    }
}

/// The bytes of Base64, written out here because what reads the page's own is not to be trusted with it.
fn decoded(letters: &str) -> Vec<u8> {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let sixes: Vec<u8> = letters.bytes().filter(|letter| *letter != b'=').map(value).collect();
    let bytes = sixes.chunks(4).flat_map(|chunk| {
        let group = chunk.iter().fold(0_u32, |group, six| group << 6 | u32::from(*six)) << (6 * (4 - chunk.len()));
        group.to_be_bytes()[1..chunk.len()].to_vec()
    });
    bytes.collect()
}
