//! Lists of addresses (RFC 5322 3.4) over the octets of a field: what a person meant, and everything odd about it said.

use super::fields::unfolded;
use super::words;
use crate::desk::address::Address;

/// One entry of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mailbox {
    /// The display name, decoded and cleaned; a name, whatever it looks like.
    pub(crate) name: String,
    /// What stands where the address belongs.
    pub(crate) spec: String,
    /// Whether more than a name and one address stand there.
    pub(crate) odd: bool,
}

/// A list read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct List {
    /// The entries with something in the place of an address.
    pub(crate) entries: Vec<Mailbox>,
    /// Set if a group stands in it (RFC 5322 3.4: `name: a, b;`).
    pub(crate) has_group: bool,
    /// Set if a quotation, comment or bracket never closes, or text stands alone at the end.
    pub(crate) malformed: bool,
    /// Set if it holds more than the cap.
    pub(crate) cut: bool,
}

impl List {
    /// The usable addresses, in order.
    pub(crate) fn addresses(&self) -> Vec<Address> {
        self.entries
            .iter()
            .filter_map(|e| Address::new(&e.spec).ok())
            .collect()
    }
}

/// Reads a field's value, at most `cap` entries.
pub(crate) fn read(value: &[u8], cap: usize, hint: Option<&str>) -> List {
    let line = unfolded(value);
    let mut reader = Reader {
        list: List::default(),
        entry: Entry::default(),
        cap,
        hint,
    };
    let mut bytes = line.iter().copied();
    while let Some(b) = bytes.next() {
        if reader.list.cut {
            break;
        }
        reader.step(b, &mut bytes);
    }
    reader.end_entry();
    if reader.entry.has_words {
        reader.list.malformed = true;
    }
    reader.list
}

/// One entry while it is read, still octets.
#[derive(Default)]
struct Entry {
    name: Vec<u8>,
    /// Whether the name holds an `@`, and anything but white space: asked at every comma, so that it is not looked for each time.
    has_at: bool,
    has_words: bool,
    comment: Vec<u8>,
    angle: Option<Vec<u8>>,
    quoted: bool,
    after_angle: bool,
    odd: bool,
    /// Set by a comment whose text another reader could take for part of an address.
    risky: bool,
}

impl Entry {
    fn add(&mut self, b: u8) {
        self.has_at |= b == b'@';
        self.has_words |= !b.is_ascii_whitespace();
        self.name.push(b);
    }
}

struct Reader<'h> {
    list: List,
    entry: Entry,
    cap: usize,
    hint: Option<&'h str>,
}

impl Reader<'_> {
    fn step(&mut self, b: u8, bytes: &mut impl Iterator<Item = u8>) {
        match b {
            b'"' => {
                self.entry.quoted = true;
                if self.entry.angle.is_some() {
                    self.entry.after_angle = true;
                }
                self.quoted(bytes);
            }
            b'(' => self.comment(bytes),
            b'<' => {
                if self.entry.angle.is_some() {
                    self.entry.odd = true;
                }
                let inner = self.angle(bytes);
                self.entry.angle.get_or_insert(inner);
            }
            b',' | b';' => self.end_entry(),
            b':' if self.entry.angle.is_none() => {
                // A group's name; one that merely looks so, as in `Re: Иванов <a@b>`, is a group by the grammar all the same.
                self.list.has_group = true;
                self.entry = Entry::default();
            }
            other => {
                if self.entry.angle.is_some() && !other.is_ascii_whitespace() {
                    self.entry.after_angle = true;
                }
                self.entry.add(other);
            }
        }
    }

    fn quoted(&mut self, bytes: &mut impl Iterator<Item = u8>) {
        while let Some(b) = bytes.next() {
            match b {
                b'"' => return,
                b'\\' => {
                    if let Some(escaped) = bytes.next() {
                        self.entry.add(escaped);
                    }
                }
                other => self.entry.add(other),
            }
        }
        self.list.malformed = true;
    }

    /// A comment (RFC 5322 3.2.2). It parts words as a blank does: `a@x(y)z` is no address at all.
    fn comment(&mut self, bytes: &mut impl Iterator<Item = u8>) {
        self.entry.name.push(b' ');
        let from = self.entry.comment.len();
        let mut depth = 1_usize;
        while let Some(b) = bytes.next() {
            match b {
                b'(' => depth = depth.saturating_add(1),
                b')' => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        let its = self.entry.comment.get(from..).unwrap_or_default();
                        self.entry.risky |= its.iter().any(|b| b"<>@,;:\"\\".contains(b));
                        return;
                    }
                }
                b'\\' => {
                    self.entry.comment.extend(bytes.next());
                    continue;
                }
                _ => {}
            }
            self.entry.comment.push(b);
        }
        self.list.malformed = true;
    }

    /// What stands in angle brackets, comments taken out of it.
    fn angle(&mut self, bytes: &mut impl Iterator<Item = u8>) -> Vec<u8> {
        let mut inner = Vec::new();
        let mut commented = false;
        while let Some(b) = bytes.next() {
            match b {
                b'>' if commented => return self.without_comments(&inner),
                b'>' => return inner,
                b'(' => {
                    let outside = std::mem::take(&mut self.entry);
                    self.comment(bytes);
                    let risky = self.entry.risky;
                    self.entry = outside;
                    self.entry.risky |= risky;
                    commented = true;
                    inner.push(b' ');
                }
                other => inner.push(other),
            }
        }
        self.list.malformed = true;
        inner
    }

    /// An address in which comments stood: blanks beside `@`, `.` and the ends go (RFC 5322 4.4 allows them there and nowhere else).
    /// A comment that looks like an address makes the whole odd, since a reader that knows no comments would see another address.
    fn without_comments(&mut self, spec: &[u8]) -> Vec<u8> {
        self.entry.odd |= self.entry.risky;
        let mut out: Vec<u8> = Vec::with_capacity(spec.len());
        let mut gap = false;
        for b in spec.trim_ascii() {
            if b.is_ascii_whitespace() {
                gap = true;
                continue;
            }
            let joins = |b: u8| matches!(b, b'@' | b'.');
            if gap && !joins(*b) && !out.last().is_some_and(|last| joins(*last)) {
                out.push(b' ');
            }
            gap = false;
            out.push(*b);
        }
        out
    }

    fn end_entry(&mut self) {
        let bare_words = self.entry.angle.is_none() && !self.entry.has_at;
        if bare_words {
            // `Иванов, Иван <a@b>` without quotes: the first half of a name, not an entry.
            if self.entry.has_words {
                self.entry.name.push(b' ');
            }
            return;
        }
        if self.list.entries.len() >= self.cap {
            self.list.cut = true;
            self.entry = Entry::default();
            return;
        }
        if self.entry.angle.is_none()
            && !self.entry.comment.is_empty()
            && self.entry.name.trim_ascii().contains(&b' ')
        {
            let bare = std::mem::take(&mut self.entry.name);
            self.entry.name = self.without_comments(&bare);
        }
        let entry = std::mem::take(&mut self.entry);
        let (name, spec, odd) = match entry.angle {
            Some(spec) => {
                let name = if entry.name.trim_ascii().is_empty() {
                    entry.comment
                } else {
                    entry.name
                };
                (name, spec, entry.odd || entry.after_angle)
            }
            None => (entry.comment, entry.name, entry.odd || entry.quoted),
        };
        self.list.entries.push(Mailbox {
            name: words::text(&name, self.hint)
                .trim_matches(['"', '\''])
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
            spec: String::from_utf8_lossy(spec.trim_ascii()).into_owned(),
            odd,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specs(value: &str) -> Vec<String> {
        read(value.as_bytes(), 10, None)
            .entries
            .into_iter()
            .map(|m| format!("{}|{}", m.name, m.spec))
            .collect()
    }

    #[test]
    fn names_comments_and_bare_addresses() {
        assert_eq!(
            specs(
                "=?utf-8?B?0JDQvdC90LA=?= <anna@x.example>, oleg@x.example (Олег), \"Иванов, Иван\" <i@x.example>, Петров, Пётр <p@x.example>"
            ),
            [
                "Анна|anna@x.example",
                "Олег|oleg@x.example",
                "Иванов, Иван|i@x.example",
                "Петров Пётр|p@x.example"
            ]
        );
    }

    #[test]
    fn b21_comments_stand_between_words_and_are_none_of_them() {
        assert_eq!(
            specs("Pete(A wonderful \\) chap) <pete(his account)@silly.test(his host)>"),
            ["Pete|pete@silly.test"]
        );
        assert_eq!(
            specs("pete(his account) @ silly(x).test (his host)"),
            ["his accountxhis host|pete@silly.test"]
        );
        // No word is made of two, and no comment hides an address.
        assert_eq!(specs("a@good.example(x)evil"), ["x|a@good.example evil"]);
        assert_eq!(specs("<a@good.example(x)evil>"), ["|a@good.example evil"]);
        for risky in [
            "<a@x.example(> <b@y.example)>",
            "<a(b@y.example, c)@x.example>",
            "a(@y.example)@x.example",
        ] {
            let list = read(risky.as_bytes(), 10, None);
            assert!(
                list.malformed || list.entries.iter().any(|e| e.odd),
                "{risky}"
            );
        }
    }

    #[test]
    fn what_is_odd_is_said() {
        assert!(read(b"undisclosed-recipients:;", 10, None).has_group);
        assert!(read(b"\"open <a@x.example>", 10, None).malformed);
        assert!(
            read(b"A <a@x.example> b", 10, None)
                .entries
                .iter()
                .any(|e| e.odd)
        );
        assert!(read(b"a@x.example, leftover", 10, None).malformed);
        let many = read(&b"a@x.example, ".repeat(50), 10, None);
        assert!(many.cut && many.entries.len() == 10);
    }
}
