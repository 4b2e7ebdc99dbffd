//! What is wrong with a configuration: every fault at once, each with its line, a caret, the reason and what would be right.

use std::fmt;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Level, Origin, Renderer, Snippet};

use super::source::{Place, Source};

/// Whether a fault keeps the configuration from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Error,
    Warning,
}

/// One thing that is wrong: what, where, why it matters, and what to do.
#[derive(Debug, Clone)]
pub struct Fault {
    weight: Weight,
    what: String,
    at: Place,
    label: String,
    also: Vec<(Place, String)>,
    why: String,
    todo: String,
}

impl Fault {
    /// A fault that keeps the configuration from being used.
    pub fn error(at: Place, what: impl Into<String>) -> Self {
        Self {
            weight: Weight::Error,
            what: what.into(),
            at,
            label: String::new(),
            also: Vec::new(),
            why: String::new(),
            todo: String::new(),
        }
    }

    /// Something that is allowed and most likely not meant.
    pub fn warning(at: Place, what: impl Into<String>) -> Self {
        Self {
            weight: Weight::Warning,
            ..Self::error(at, what)
        }
    }

    /// What stands at the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Another place that has to do with it.
    #[must_use]
    pub fn also(mut self, at: Place, label: impl Into<String>) -> Self {
        self.also.push((at, label.into()));
        self
    }

    /// Why the desk refuses it, one line.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    /// What to do about it, one line.
    #[must_use]
    pub fn todo(mut self, todo: impl Into<String>) -> Self {
        self.todo = todo.into();
        self
    }

    /// Whether it is only a warning.
    pub fn is_warning(&self) -> bool {
        self.weight == Weight::Warning
    }

    fn snippets<'a>(&'a self, sources: &'a [Source]) -> Vec<annotate_snippets::Element<'a>> {
        let mut elements: Vec<annotate_snippets::Element<'a>> = Vec::new();
        let mut files: Vec<usize> = vec![self.at.file()];
        for (place, _) in &self.also {
            if !files.contains(&place.file()) {
                files.push(place.file());
            }
        }
        for file in files {
            let Some(source) = sources.get(file) else {
                continue;
            };
            let mut marks: Vec<Annotation<'a>> = Vec::new();
            let here = (&self.at, &self.label, AnnotationKind::Primary);
            let others = self
                .also
                .iter()
                .map(|(p, l)| (p, l, AnnotationKind::Context));
            for (place, label, kind) in std::iter::once(here).chain(others) {
                if let Some((start, end)) = place.span().filter(|_| place.file() == file) {
                    let limit = source.shown().len();
                    let mark = kind.span(start.min(limit)..end.min(limit));
                    marks.push(if label.is_empty() {
                        mark
                    } else {
                        mark.label(label.as_str())
                    });
                }
            }
            if marks.is_empty() {
                elements.push(Origin::path(source.name()).into());
            } else {
                let snippet = Snippet::source(source.shown()).path(source.name());
                elements.push(snippet.annotations(marks).into());
            }
        }
        elements
    }

    /// What is wrong; where no line can carry the label, with the label.
    fn whole_title(&self) -> String {
        if self.at.span().is_some() || self.label.is_empty() {
            return self.what.clone();
        }
        format!("{}: {}", self.what, self.label)
    }

    fn render(&self, sources: &[Source], renderer: &Renderer) -> String {
        let level = match self.weight {
            Weight::Error => Level::ERROR,
            Weight::Warning => Level::WARNING,
        };
        let mut group = level
            .primary_title(self.whole_title())
            .elements(self.snippets(sources));
        if !self.why.is_empty() {
            let why = Level::NOTE.with_name("why").message(self.why.as_str());
            group = group.element(why);
        }
        if !self.todo.is_empty() {
            let todo = Level::HELP.with_name("do").message(self.todo.as_str());
            group = group.element(todo);
        }
        renderer.render(&[group])
    }

    fn line(&self, sources: &[Source]) -> String {
        let Some(source) = sources.get(self.at.file()) else {
            return self.what.clone();
        };
        let place = match self.at.span() {
            Some((start, _)) => {
                let (line, column) = source.line_and_column(start);
                format!("{}:{line}:{column}", source.name())
            }
            None => source.name().to_owned(),
        };
        format!("{place}: {}", self.whole_title())
    }
}

/// Something that is allowed and most likely not meant. `Display` gives the whole of it with its line and caret.
#[derive(Debug, Clone)]
pub struct Warning {
    fault: Fault,
    sources: Arc<[Source]>,
}

impl Warning {
    /// On one line, for a log: `FILE:LINE:COLUMN: what`.
    pub fn line(&self) -> String {
        self.fault.line(&self.sources)
    }

    /// The whole of it, coloured for a terminal if `styled`.
    pub fn render(&self, styled: bool) -> String {
        self.fault.render(&self.sources, &renderer(styled))
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

/// Everything that is wrong with a configuration that is not used. `Display` gives all of it.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    sources: Vec<Source>,
    faults: Vec<Fault>,
}

impl Faults {
    /// How many keep the configuration from being used.
    pub fn count(&self) -> usize {
        self.faults.iter().filter(|f| !f.is_warning()).count()
    }

    /// Each on one line, for a log: `FILE:LINE:COLUMN: what`.
    pub fn lines(&self) -> Vec<String> {
        self.faults.iter().map(|f| f.line(&self.sources)).collect()
    }

    /// All of them, coloured for a terminal if `styled`.
    pub fn render(&self, styled: bool) -> String {
        let renderer = renderer(styled);
        let mut text = String::new();
        for fault in &self.faults {
            text.push_str(fault.render(&self.sources, &renderer).trim_end());
            text.push_str("\n\n");
        }
        let count = self.count();
        let warnings = self.faults.len().saturating_sub(count);
        text.push_str(&numbered(count, "fault"));
        if warnings > 0 {
            text.push_str(&format!(" and {}", numbered(warnings, "warning")));
        }
        text.push_str(": the configuration is not used");
        text
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Faults {}

/// Sorts what was found by place, and says whether the configuration can be used.
///
/// # Errors
/// All faults, with the warnings among them.
pub fn verdict(sources: Vec<Source>, mut faults: Vec<Fault>) -> Result<Vec<Warning>, Faults> {
    faults.sort_by_key(|f| (f.weight, f.at));
    if faults.iter().any(|f| !f.is_warning()) {
        return Err(Faults { sources, faults });
    }
    let sources: Arc<[Source]> = sources.into();
    let warnings = faults.into_iter().map(|fault| Warning {
        fault,
        sources: sources.clone(),
    });
    Ok(warnings.collect())
}

fn numbered(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

fn renderer(styled: bool) -> Renderer {
    if styled {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
}
