//! Data in a self-contained file: the page's own viewer.html, with files to open and the view they open in.
//!
//! What is not here: the viewer, which `cargo xtask build` makes, and gzip, which whoever calls does.

use quipu_model::encoding::base64;

/// Where the viewer takes what it carries.
const PLACE: &str = "<!--quipu-data-->";

/// Why no file can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HtmlError {
    /// It is no viewer of Quipu's, or one with something in it.
    #[error("The page’s viewer can’t carry data: it is not the one Quipu is built with. Reload the page, or build it anew.")]
    NoViewer,
}

/// A file the viewer opens: its name without a folder, and its bytes as gzip.
#[derive(Clone, Copy, Debug)]
pub struct CarriedFile<'a> {
    /// Shown as the file's name.
    pub name: &'a str,
    /// Packed.
    pub gzip: &'a [u8],
}

/// The viewer with a file in it, and the fragment of the view it opens in; an empty one opens the list of traces. What can be a name or a
/// fragment is any text.
///
/// # Errors
/// [`HtmlError::NoViewer`].
pub fn carrying_page(viewer: &str, file: CarriedFile<'_>, fragment: &str) -> Result<String, HtmlError> {
    let (before, after) = viewer.split_once(PLACE).filter(|(_, after)| !after.contains(PLACE)).ok_or(HtmlError::NoViewer)?;
    let letters = base64(file.gzip);
    let mut page = String::with_capacity(viewer.len() + letters.len() + fragment.len() + 200);
    page.push_str(before);
    page.push_str("<script type=\"application/octet-stream\" data-quipu-file=\"");
    push_attribute(&mut page, file.name);
    page.push_str("\">");
    page.push_str(&letters);
    page.push_str("</script>\n<meta data-quipu-view=\"");
    push_attribute(&mut page, fragment);
    page.push_str("\">\n");
    page.push_str(PLACE);
    page.push_str(after);
    Ok(page)
}

fn push_attribute(page: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => page.push_str("&amp;"),
            '"' => page.push_str("&quot;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            letter => page.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_stands_in_the_viewer_and_can_be_put_beside_others() {
        let file = CarriedFile { name: "a\"><script>.db", gzip: &[0, 255, 62] };
        let page = carrying_page("<body><!--quipu-data--></body>", file, "#v1/traces?file=a&size=3").unwrap();
        let lines: Vec<&str> = page.lines().collect();
        assert_eq!(
            lines,
            [
                "<body><script type=\"application/octet-stream\" data-quipu-file=\"a&quot;&gt;&lt;script&gt;.db\">AP8+</script>",
                "<meta data-quipu-view=\"#v1/traces?file=a&amp;size=3\">",
                "<!--quipu-data--></body>",
            ]
        );
        assert_eq!(carrying_page("<body></body>", file, ""), Err(HtmlError::NoViewer));
    }
}
