//! The document as one HTML file: escaped, without scripts, and nothing is fetched.

use std::fmt::{self, Write as _};

use crate::document::{Document, Fact, Part, Row, Table};
use crate::{PaperError, Party, words};

const STYLE: &str = include_str!("paper.css");

/// Text as it stands in HTML, in an element and in a quoted attribute.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // HTML has no way to say the other control characters.
                c if c.is_control() && c != '\n' => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// The document as HTML.
pub(crate) fn html(document: &Document) -> Result<String, PaperError> {
    let seal = document.sealed()?;
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut out, document, &seal);
    Ok(out)
}

fn write(out: &mut String, document: &Document, seal: &Fact) -> fmt::Result {
    let (title, reference) = (Escaped(&document.title), Escaped(&document.reference));
    writeln!(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(
        out,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    )?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
    writeln!(out, "<title>{title} {reference}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>")?;
    writeln!(out, "<header>\n<h1>{title}</h1>\n<p class=\"reference\">{reference}</p>")?;
    if let Some(stamp) = document.stamp {
        writeln!(out, "<p class=\"stamp\">{}</p>", Escaped(stamp))?;
    }
    writeln!(out, "</header>\n<div class=\"parties\">")?;
    document.parties.iter().try_for_each(|party| write_party(out, party))?;
    writeln!(out, "</div>")?;
    write_facts(out, &document.facts)?;
    for section in &document.sections {
        writeln!(out, "<section>\n<h2>{}</h2>", Escaped(&section.heading))?;
        for part in &section.parts {
            match part {
                Part::Text(text) => writeln!(out, "<p>{}</p>", Escaped(text))?,
                Part::Facts(facts) => write_facts(out, facts)?,
                Part::Table(table) => write_table(out, table)?,
            }
        }
        writeln!(out, "</section>")?;
    }
    writeln!(
        out,
        "<footer>\n<span>{} <code>{}</code></span> <span>As of {}</span>\n</footer>\n</body>\n</html>",
        Escaped(&seal.label),
        Escaped(&seal.value),
        words::instant(document.as_of)
    )
}

fn write_party(out: &mut String, party: &Party) -> fmt::Result {
    write!(out, "<div><h3>{}</h3><strong>{}</strong>", Escaped(&party.role), Escaped(&party.name))?;
    party.lines.iter().try_for_each(|line| write!(out, "<br>{}", Escaped(line)))?;
    writeln!(out, "</div>")
}

fn write_facts(out: &mut String, facts: &[Fact]) -> fmt::Result {
    writeln!(out, "<dl>")?;
    for fact in facts {
        writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", Escaped(&fact.label), Escaped(&fact.value))?;
    }
    writeln!(out, "</dl>")
}

fn write_table(out: &mut String, table: &Table) -> fmt::Result {
    let columns = table.columns();
    write!(out, "<table>\n<thead><tr>")?;
    for column in columns {
        write!(out, "<th{}>{}</th>", class(column.numbers), Escaped(&column.heading))?;
    }
    writeln!(out, "</tr></thead>\n<tbody>")?;
    let (rows, left_out) = table.printed();
    for row in rows {
        write_row(out, table, row)?;
    }
    if let Some(told) = left_out {
        writeln!(out, "<tr class=\"remark\"><td colspan=\"{}\">{}</td></tr>", columns.len(), Escaped(&told))?;
    }
    writeln!(out, "</tbody>\n</table>")
}

fn write_row(out: &mut String, table: &Table, row: &Row) -> fmt::Result {
    write!(out, "{}", if row.total { "<tr class=\"total\">" } else { "<tr>" })?;
    for (column, cell) in table.columns().iter().zip(&row.cells) {
        write!(out, "<td{}>{}</td>", class(column.numbers), Escaped(cell))?;
    }
    writeln!(out, "</tr>")?;
    if row.remark.is_empty() {
        return Ok(());
    }
    let width = table.columns().len();
    writeln!(out, "<tr class=\"remark\"><td colspan=\"{width}\">{}</td></tr>", Escaped(&row.remark))
}

fn class(numbers: bool) -> &'static str {
    if numbers { " class=\"n\"" } else { "" }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample;

    #[test]
    fn what_people_wrote_is_text_and_never_markup() {
        let mut document = sample::invoice(1);
        document.parties[0].name = "<script>alert('\"&')</script>\u{7}".to_owned();
        let text = html(&document).unwrap();
        assert!(text.contains("&lt;script&gt;alert(&#39;&quot;&amp;&#39;)&lt;/script&gt;\u{fffd}"), "{text}");
        assert!(!text.contains("<script"), "{text}");
    }

    #[test]
    fn nothing_is_fetched_and_every_page_is_numbered() {
        let text = html(&sample::invoice(2)).unwrap();
        for absent in ["http://", "https://", "src=", "url(", "@import"] {
            assert!(!text.contains(absent), "{absent} in {text}");
        }
        assert!(text.contains("counter(page) \" of \" counter(pages)"));
    }

    proptest! {
        /// Whatever a name is, it comes back as it was once the entities are read.
        #[test]
        fn escaping_loses_nothing(text in "[^\\p{C}]{0,40}") {
            let escaped = Escaped(&text).to_string();
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            let back = escaped
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&");
            prop_assert_eq!(back, text);
        }
    }
}
