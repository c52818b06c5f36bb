//! Self-contained HTML files: the page's viewer.html with embedded data and the initial view.
//!
//! `cargo xtask build` builds the viewer; callers compress the data.

use quipu_model::encoding::base64;

/// The placeholder in the viewer that is replaced by the data.
const PLACE: &str = "<!--quipu-data-->";

/// Why a file can't be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HtmlError {
    /// The template is not Quipu's viewer, or already contains data.
    #[error("The page’s viewer can’t hold data: it does not belong to this build of Quipu. Reload the page, or build it again.")]
    NoViewer,
}

/// A file to embed.
#[derive(Clone, Copy, Debug)]
pub struct CarriedFile<'a> {
    /// File name without a folder, shown to the user.
    pub name: &'a str,
    /// Contents, compressed with gzip.
    pub gzip: &'a [u8],
}

/// Embeds a file and the URL fragment of the initial view in the viewer. An empty fragment opens the trace list. Name and fragment can be
/// any text.
///
/// # Errors
/// [`HtmlError::NoViewer`] if `viewer` does not contain the placeholder.
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
