//! `winmail.dat` (TNEF, MS-OXTNEF): the files in it, and the text where the letter has no other.

use super::charset;

/// Attributes, properties and values read of one stream; what follows is left.
const MANY: usize = 20_000;
/// Files read.
const FILES: usize = 500;
/// Letters in letters that are opened.
const DEEPEST: usize = 3;

const SIGNATURE: u32 = 0x223e_9f78;
const BODY: u32 = 0x0002_800c;
const PROPERTIES: u32 = 0x0006_9003;
const CODEPAGE: u32 = 0x0006_9007;
const ATTACH_BEGINS: u32 = 0x0006_9002;
const ATTACH_TITLE: u32 = 0x0001_8010;
const ATTACH_DATA: u32 = 0x0006_800f;
const ATTACH_PROPERTIES: u32 = 0x0006_9005;

const TEXT: u16 = 0x1000;
const HTML: u16 = 0x1013;
const INTERNET_CODEPAGE: u16 = 0x3fde;
const DATA: u16 = 0x3701;
const SHORT_NAME: u16 = 0x3704;
const LONG_NAME: u16 = 0x3707;
const MEDIA_TYPE: u16 = 0x370e;
const CONTENT_ID: u16 = 0x3712;

/// The interface of an embedded letter, which stands before its stream (IID_IMessage).
const LETTER: [u8; 16] = [7, 3, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tnef {
    /// The text, if it is there in plain.
    pub(crate) text: Option<String>,
    /// The text as HTML, if it is there.
    pub(crate) html: Option<String>,
    /// The files, in order.
    pub(crate) files: Vec<File>,
}

/// A file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct File {
    /// Its name; empty if it has none.
    pub(crate) name: String,
    /// Its media type; empty if none is given.
    pub(crate) media_type: String,
    /// Whether the text shows it.
    pub(crate) inline: bool,
    /// Its octets.
    pub(crate) bytes: Vec<u8>,
}

/// Whether octets begin as TNEF does.
pub(crate) fn is_tnef(bytes: &[u8]) -> bool {
    Cursor { rest: bytes }.u32() == Some(SIGNATURE)
}

/// Reads a stream; what is broken in it ends the reading, and what was found before that counts.
pub(crate) fn read(bytes: &[u8]) -> Tnef {
    let mut found = Tnef::default();
    let mut left = MANY;
    stream(bytes, 0, &mut left, &mut found);
    found
}

fn stream(bytes: &[u8], depth: usize, left: &mut usize, found: &mut Tnef) {
    let mut open = None;
    let _broken = attributes(bytes, depth, left, found, &mut open);
    found.files.extend(open);
    open_letters(depth, left, found);
}

/// Reads attributes until the end, or until one is broken; `open` is the file that further ones belong to.
fn attributes(
    bytes: &[u8],
    depth: usize,
    left: &mut usize,
    found: &mut Tnef,
    open: &mut Option<File>,
) -> Option<()> {
    let mut cursor = Cursor { rest: bytes };
    (cursor.u32()? == SIGNATURE && depth < DEEPEST).then_some(())?;
    cursor.take(2)?;
    let mut codepage = String::from("windows-1252");
    while !cursor.rest.is_empty() && *left > 0 && found.files.len() < FILES {
        *left = left.saturating_sub(1);
        cursor.take(1)?;
        let attribute = cursor.u32()?;
        let length = usize::try_from(cursor.u32()?).ok()?;
        let data = cursor.take(length)?;
        cursor.take(2)?;
        match attribute {
            CODEPAGE => {
                let number = Cursor { rest: data }.u32();
                codepage = number.map_or(codepage, codepage_label);
            }
            BODY if depth == 0 => found.text = Some(text8(data, &codepage)),
            PROPERTIES if depth == 0 => {
                for property in properties(data, &mut codepage, left) {
                    match property.id {
                        TEXT => found.text = Some(property.text(&codepage)),
                        HTML => found.html = Some(property.text(&codepage)),
                        _ => {}
                    }
                }
            }
            ATTACH_BEGINS => found.files.extend(open.replace(File::default())),
            ATTACH_TITLE => {
                let file = open.get_or_insert_default();
                if file.name.is_empty() {
                    file.name = text8(data, &codepage);
                }
            }
            ATTACH_DATA => open.get_or_insert_default().bytes = data.to_vec(),
            ATTACH_PROPERTIES => {
                let file = open.get_or_insert_default();
                for property in properties(data, &mut codepage, left) {
                    describe(file, &property, &codepage);
                }
            }
            _ => {}
        }
    }
    Some(())
}

/// What a property tells of a file.
fn describe(file: &mut File, property: &Property<'_>, codepage: &str) {
    match property.id {
        LONG_NAME => file.name = property.text(codepage),
        SHORT_NAME if file.name.is_empty() => file.name = property.text(codepage),
        MEDIA_TYPE => file.media_type = property.text(codepage),
        CONTENT_ID => file.inline = true,
        DATA if file.bytes.is_empty() => file.bytes = property.value.to_vec(),
        _ => {}
    }
}

/// Letters among the files are opened, and their files stand beside them.
fn open_letters(depth: usize, left: &mut usize, found: &mut Tnef) {
    let mut inner = Tnef::default();
    for file in &found.files {
        if let Some(letter) = file.bytes.strip_prefix(&LETTER) {
            stream(letter, depth.saturating_add(1), left, &mut inner);
        }
    }
    found.files.append(&mut inner.files);
    found.files.truncate(FILES);
}

/// A property with its first value.
struct Property<'a> {
    id: u16,
    unicode: bool,
    value: &'a [u8],
}

impl Property<'_> {
    fn text(&self, codepage: &str) -> String {
        if self.unicode {
            let (text, _) = encoding_rs::UTF_16LE.decode_without_bom_handling(self.value);
            text.trim_end_matches('\0').to_owned()
        } else {
            text8(self.value, codepage)
        }
    }
}

/// The properties of a message or a file (MS-OXTNEF 2.1.3.4). `codepage` becomes that of the text once it is told.
fn properties<'a>(bytes: &'a [u8], codepage: &mut String, left: &mut usize) -> Vec<Property<'a>> {
    let mut all = Vec::new();
    let mut cursor = Cursor { rest: bytes };
    let count = cursor.u32().unwrap_or_default();
    for _ in 0..count {
        if *left == 0 {
            break;
        }
        *left = left.saturating_sub(1);
        let Some(property) = property(&mut cursor, left) else {
            break;
        };
        if property.id == INTERNET_CODEPAGE {
            let mut number = Cursor {
                rest: property.value,
            };
            if let Some(number) = number.u32() {
                *codepage = codepage_label(number);
            }
        }
        all.push(property);
    }
    all
}

fn property<'a>(cursor: &mut Cursor<'a>, left: &mut usize) -> Option<Property<'a>> {
    let kind = cursor.u16()?;
    let id = cursor.u16()?;
    if id >= 0x8000 {
        // A named property: the set it is of, and its number or name.
        cursor.take(16)?;
        if cursor.u32()? == 0 {
            cursor.take(4)?;
        } else {
            let length = usize::try_from(cursor.u32()?).ok()?;
            cursor.padded(length)?;
        }
    }
    let several = kind & 0x1000 != 0;
    let fixed = match kind & 0x0fff {
        0x02 | 0x03 | 0x04 | 0x0a | 0x0b => Some(4),
        0x05 | 0x06 | 0x07 | 0x14 | 0x40 => Some(8),
        0x48 => Some(16),
        0x0d | 0x1e | 0x1f | 0x102 => None,
        _ => return None,
    };
    let count = if several || fixed.is_none() {
        cursor.u32()?
    } else {
        1
    };
    let mut first = None;
    for _ in 0..count {
        *left = left.checked_sub(1)?;
        let value = match fixed {
            Some(length) => cursor.take(length)?,
            None => {
                let length = usize::try_from(cursor.u32()?).ok()?;
                cursor.padded(length)?
            }
        };
        first.get_or_insert(value);
    }
    Some(Property {
        id,
        unicode: kind & 0x0fff == 0x1f,
        value: first.unwrap_or_default(),
    })
}

/// A text in the code page of the letter, up to its closing NUL.
fn text8(bytes: &[u8], codepage: &str) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let bytes = bytes.get(..end).unwrap_or_default();
    charset::decode(bytes, Some(codepage)).text
}

fn codepage_label(number: u32) -> String {
    match number {
        65001 => "utf-8".to_owned(),
        20127 => "us-ascii".to_owned(),
        20866 => "koi8-r".to_owned(),
        21866 => "koi8-u".to_owned(),
        28591..=28605 => format!("iso-8859-{}", number.wrapping_sub(28590)),
        866 => "ibm866".to_owned(),
        932 => "shift_jis".to_owned(),
        936 => "gbk".to_owned(),
        949 => "euc-kr".to_owned(),
        950 => "big5".to_owned(),
        other => format!("windows-{other}"),
    }
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    /// Octets that are filled up to a multiple of four.
    fn padded(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.take(count)?;
        let over = count.checked_next_multiple_of(4)?.saturating_sub(count);
        self.take(over.min(self.rest.len()))?;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.try_into().ok().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take(4)?.try_into().ok().map(u32::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::arithmetic_side_effects, reason = "tests")]
    use proptest::prelude::*;

    use super::*;

    fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
        let length = u32::try_from(data.len()).unwrap();
        let mut out = vec![level];
        out.extend(id.to_le_bytes());
        out.extend(length.to_le_bytes());
        out.extend_from_slice(data);
        out.extend([0, 0]);
        out
    }

    fn begun() -> Vec<u8> {
        let mut out = SIGNATURE.to_le_bytes().to_vec();
        out.extend([1, 0]);
        out
    }

    fn long_name(name: &str) -> Vec<u8> {
        let value: Vec<u8> = name
            .encode_utf16()
            .chain([0])
            .flat_map(u16::to_le_bytes)
            .collect();
        let mut out = vec![1, 0, 0, 0, 0x1f, 0, 0x07, 0x37, 1, 0, 0, 0];
        out.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
        out.extend_from_slice(&value);
        out.resize(out.len().next_multiple_of(4), 0);
        out
    }

    fn file(name: &str, data: &[u8]) -> Vec<u8> {
        [
            attribute(2, ATTACH_BEGINS, &[0; 14]),
            attribute(2, ATTACH_TITLE, b"8CHARS~1.DOC\0"),
            attribute(2, ATTACH_DATA, data),
            attribute(2, ATTACH_PROPERTIES, &long_name(name)),
        ]
        .concat()
    }

    #[test]
    fn b23_files_and_text_are_found() {
        let mut raw = begun();
        raw.extend(attribute(1, CODEPAGE, &[0xe3, 4, 0, 0, 0, 0, 0, 0]));
        let text = encoding_rs::WINDOWS_1251.encode("Привет").0;
        raw.extend(attribute(1, BODY, &text));
        raw.extend(file("Отчёт за март.csv", b"1;2"));
        raw.extend(file("b.txt", b""));
        let found = read(&raw);
        assert_eq!(found.text.as_deref(), Some("Привет"));
        let names: Vec<_> = found.files.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["Отчёт за март.csv", "b.txt"]);
        assert_eq!(found.files.first().unwrap().bytes, b"1;2");
        // What was found before a break counts.
        raw.truncate(raw.len() - 30);
        assert!(read(&raw).files.len() == 2 && is_tnef(&raw));
    }

    #[test]
    fn f4_letters_in_letters_and_counts_that_lie_end() {
        let mut inner = file("deepest", b"x");
        for _ in 0..50 {
            let letter = [&LETTER[..], &begun(), &inner].concat();
            inner = file("letter", &letter);
        }
        assert!(read(&[begun(), inner].concat()).files.len() <= DEEPEST);
        let lie = [
            [0xff; 4].as_slice(),
            &[0x1f, 0x10, 0, 0x10, 0xff, 0xff, 0xff, 0xff],
        ]
        .concat();
        let raw = [begun(), attribute(1, PROPERTIES, &lie)].concat();
        assert_eq!(read(&raw), Tnef::default());
        let many = attribute(2, ATTACH_BEGINS, &[]).repeat(50_000);
        assert!(read(&[begun(), many].concat()).files.len() <= FILES);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fail(noise in proptest::collection::vec(any::<u8>(), 0..300), at in 0..200_usize) {
            let mut raw = [begun(), file("a", b"b")].concat();
            let _ = read(&[begun(), noise.clone()].concat());
            raw.splice(at.min(raw.len()).., noise);
            let _ = read(&raw);
        }
    }
}
