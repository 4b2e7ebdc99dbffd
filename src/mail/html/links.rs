//! Links of a page: the address of each stands after its text where the text does not say it; of very many, only of the first (B27).

/// Addresses written of one page. What a person writes has far fewer, and each is one more thing to lead a reader astray.
const MOST: usize = 1_000;

#[derive(Default)]
pub(super) struct Links {
    /// The address of the link that is open, and whether text stands in it.
    open: Option<(String, bool)>,
    /// Addresses written.
    written: usize,
    /// Set when one was left out.
    cut: bool,
}

impl Links {
    pub(super) fn begin(&mut self, address: Option<&str>) {
        self.open = address.map(|address| (address.to_owned(), false));
    }

    /// Text is written, in a link or not.
    pub(super) fn text(&mut self) {
        if let Some((_, holds_text)) = &mut self.open {
            *holds_text = true;
        }
    }

    /// Writes the address of the link that ends behind its text.
    pub(super) fn end(&mut self, line: &mut String) {
        let Some((href, true)) = self.open.take() else {
            return;
        };
        let known = ["https://", "http://", "mailto:"]
            .iter()
            .find_map(|scheme| href.strip_prefix(scheme));
        let Some(bare) = known else { return };
        let letter = href.starts_with("mailto:");
        let bare = if letter {
            bare.split('?').next().unwrap_or_default()
        } else {
            bare.trim_end_matches('/')
        };
        if bare.is_empty() || !says_more(line, bare) {
            return;
        }
        if self.written >= MOST {
            self.cut = true;
            return;
        }
        self.written = self.written.saturating_add(1);
        line.push_str(" <");
        line.push_str(if letter { bare } else { &href });
        line.push('>');
    }

    /// What was left out, for `explain`.
    pub(super) fn fault(&self) -> Option<String> {
        self.cut
            .then(|| format!("More than {MOST} links; the addresses of the others are left out"))
    }
}

/// Whether an address adds to the line. Very long lines are not searched, which keeps the pass linear.
fn says_more(line: &str, address: &str) -> bool {
    address.len() < 500 && (1..2000).contains(&line.len()) && !line.contains(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::html::to_text;

    #[test]
    fn b27_addresses_of_links_are_written_up_to_the_cap_and_the_texts_of_all() {
        let page = |count: usize| -> String {
            let link = |n| format!("<p><a href='https://x.example/{n}'>text {n}</a></p>");
            (0..count).map(link).collect()
        };
        let whole = to_text(&page(MOST), 1 << 20);
        assert_eq!(whole.fault, None);
        assert_eq!(whole.text.matches("<https://").count(), MOST);
        let cut = to_text(&page(MOST + 1), 1 << 20);
        assert!(cut.fault.unwrap().contains("More than 1000 links"));
        assert_eq!(cut.text.matches("<https://").count(), MOST);
        assert!(cut.text.ends_with("\n\ntext 1000"));
        // What adds nothing is not counted.
        let own = "<a href='https://x.example'>https://x.example</a><br>".repeat(MOST + 1);
        assert_eq!(to_text(&own, 1 << 20).fault, None);
    }
}
