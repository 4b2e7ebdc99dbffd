//! Where in the text of a customer's file the steps of an amendment are to be written, whichever of TOML's forms it has.

use crate::desk::amendment::Step;
use crate::desk::people::Representative;

use super::section::quoted;
use super::tree::{Node, Table};

/// The text with these steps taken; none if a place in it can't be found.
///
/// The file may have `[[headers]]` or inline tables, CRLF, a byte order mark and no line end at its end: everything stays as it is, but for
/// what a step puts in or replaces.
pub fn amended(text: &str, steps: &[Step]) -> Option<String> {
    let table = Table::read(0, text).ok()?;
    let file = Sheet {
        text,
        newline: newline(text),
    };
    let mut edits = Vec::new();
    for step in steps {
        edits.push(file.edit(&table, step)?);
    }
    // Of two at one place, the one that comes first in `steps` stands first.
    edits.sort_by_key(|e| e.from);
    let mut out = String::with_capacity(text.len().saturating_add(1024));
    let mut done = 0;
    for edit in edits {
        out.push_str(text.get(done..edit.from)?);
        out.push_str(&edit.put);
        done = edit.to;
    }
    out.push_str(text.get(done..)?);
    Some(out)
}

/// The line end that the file has.
fn newline(text: &str) -> &'static str {
    let first = text.split_inclusive('\n').next().unwrap_or_default();
    if first.ends_with("\r\n") {
        "\r\n"
    } else {
        "\n"
    }
}

/// Octets `from` up to `to` become `put`.
struct Edit {
    from: usize,
    to: usize,
    put: String,
}

impl Edit {
    fn insert(at: usize, put: String) -> Self {
        Self {
            from: at,
            to: at,
            put,
        }
    }
}

/// The text that is amended.
struct Sheet<'t> {
    text: &'t str,
    newline: &'static str,
}

impl Sheet<'_> {
    fn edit(&self, table: &Table, step: &Step) -> Option<Edit> {
        match step {
            Step::End {
                installation,
                representative,
                last,
            } => {
                let person = people(nth(table, *installation)?)?.get(*representative)?;
                self.set(person, "until", &last.to_string(), "since")
            }
            Step::Phone {
                installation,
                representative,
                phone,
            } => {
                let person = people(nth(table, *installation)?)?.get(*representative)?;
                self.set(person, "phone", &quoted(phone), "email")
            }
            Step::Add {
                installation,
                after,
                person,
            } => {
                let installation = nth(table, *installation)?;
                let pairs = pairs(person);
                match people(installation).filter(|p| !p.is_empty()) {
                    Some(people) => {
                        let after = after.unwrap_or(people.len().saturating_sub(1));
                        self.add_behind(people.get(after)?, &pairs)
                    }
                    None => self.add_first(installation, &pairs),
                }
            }
        }
    }

    /// A key of a table: its value is replaced, or it is put behind another key.
    fn set(&self, node: &Node, key: &str, value: &str, behind: &str) -> Option<Edit> {
        let entries = &node.value.table()?.entries;
        if let Some((_, old)) = entries.get(key) {
            let (from, to) = old.at.span()?;
            return Some(Edit {
                from,
                to,
                put: value.to_owned(),
            });
        }
        let (place, behind) = entries.get(behind)?;
        let end = behind.at.span()?.1;
        if self.is_inline(node)? {
            return Some(Edit::insert(end, format!(", {key} = {value}")));
        }
        let indent = self.indent(place.span()?.0)?;
        let put = format!("{}{indent}{key} = {value}", self.newline);
        Some(Edit::insert(self.line_end(end)?, put))
    }

    /// A representative behind another one, in the same form.
    fn add_behind(&self, node: &Node, pairs: &[String]) -> Option<Edit> {
        let (start, end) = node.at.span()?;
        if self.is_inline(node)? {
            let before = self.text.get(..start)?;
            let line = before.rsplit('\n').next().unwrap_or_default();
            let alone = line.len() < before.len() && line.trim().is_empty();
            let gap = if alone {
                format!("{}{line}", self.newline)
            } else {
                " ".to_owned()
            };
            return Some(Edit::insert(
                end,
                format!(",{gap}{{ {} }}", pairs.join(", ")),
            ));
        }
        let entries = node.value.table()?.entries.values();
        let places: Option<Vec<_>> = entries
            .map(|(key, value)| Some((key.span()?, value.at.span()?)))
            .collect();
        let places = places?;
        let last = places.iter().map(|(_, value)| value.1).max()?;
        let first = places.iter().map(|(key, _)| key.0).min()?;
        let at = self.past_comments(self.line_end(last)?)?;
        Some(Edit::insert(
            at,
            self.block(self.indent(start)?, self.indent(first)?, pairs),
        ))
    }

    /// The first representative of an installation.
    fn add_first(&self, installation: &Node, pairs: &[String]) -> Option<Edit> {
        let table = installation.value.table()?;
        if let Some((_, list)) = table.entries.get("representative") {
            // An empty list: a header would be a second one.
            let inside = list.at.span()?.0.checked_add(1)?;
            return Some(Edit::insert(inside, format!("{{ {} }}", pairs.join(", "))));
        }
        let ends = table.entries.values().map(|(_, value)| value.at.span());
        let last = ends.flatten().map(|(_, end)| end).max()?;
        if self.is_inline(installation)? {
            let put = format!(", representative = [{{ {} }}]", pairs.join(", "));
            return Some(Edit::insert(last, put));
        }
        let indent = self.indent(installation.at.span()?.0)?;
        let at = self.past_comments(self.line_end(last)?)?;
        Some(Edit::insert(at, self.block(indent, indent, pairs)))
    }

    fn block(&self, header: &str, indent: &str, pairs: &[String]) -> String {
        let newline = self.newline;
        let mut block = format!("{newline}{newline}{header}[[installation.representative]]");
        for pair in pairs {
            block.push_str(&format!("{newline}{indent}{pair}"));
        }
        block
    }

    fn is_inline(&self, node: &Node) -> Option<bool> {
        Some(self.text.get(node.at.span()?.0..)?.starts_with('{'))
    }

    /// The white space that the line of this place begins with.
    fn indent(&self, at: usize) -> Option<&str> {
        let line = self.text.get(..at)?.rsplit('\n').next().unwrap_or_default();
        let line = line.trim_start_matches('\u{feff}');
        let blank = line
            .len()
            .saturating_sub(line.trim_start_matches([' ', '\t']).len());
        line.get(..blank)
    }

    /// The end of the line of this place, before its line end.
    fn line_end(&self, at: usize) -> Option<usize> {
        let line = self.text.get(at..)?.split('\n').next().unwrap_or_default();
        at.checked_add(line.strip_suffix('\r').unwrap_or(line).len())
    }

    /// Past the comments that stand right under a line: they belong to what is above them, unless a header follows, whose they are then.
    fn past_comments(&self, end: usize) -> Option<usize> {
        let mut reached = end;
        loop {
            let rest = self.text.get(reached..)?;
            let next = rest
                .strip_prefix("\r\n")
                .or_else(|| rest.strip_prefix('\n'));
            let Some(next) = next else {
                return Some(reached);
            };
            let begin = self.text.len().checked_sub(next.len())?;
            let line = next.split('\n').next().unwrap_or_default().trim();
            if line.starts_with('[') {
                return Some(end);
            }
            if !line.starts_with('#') {
                return Some(reached);
            }
            reached = self.line_end(begin)?;
        }
    }
}

fn nth(table: &Table, installation: usize) -> Option<&Node> {
    let (_, list) = table.entries.get("installation")?;
    list.value.list()?.get(installation)
}

fn people(installation: &Node) -> Option<&[Node]> {
    let (_, list) = installation.value.table()?.entries.get("representative")?;
    list.value.list()
}

/// The keys of an appointment, in the order in which the shipped example has them.
fn pairs(person: &Representative) -> Vec<String> {
    let mut pairs = vec![
        format!("role = {}", quoted(person.role.word())),
        format!("name = {}", quoted(&person.name)),
        format!("email = {}", quoted(&person.address.to_string())),
    ];
    pairs.extend(
        person
            .phone
            .iter()
            .map(|phone| format!("phone = {}", quoted(phone))),
    );
    pairs.push(format!("since = {}", person.since));
    pairs.extend(person.until.iter().map(|until| format!("until = {until}")));
    pairs
}
