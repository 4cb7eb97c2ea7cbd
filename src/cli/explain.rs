//! `mlp explain CODE`: the page of an error's code.

use super::exit::{Exit, Refusal};
use crate::report::style::Style;

/// Pages of `docs/errors`, by code, sorted.
const PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/error_pages.rs"));

/// Explain an error code.
///
/// Every error has a code that stays the same in all versions; its page says what it means, with examples.
///
///   mlp explain E0310
///   mlp explain            (lists all codes)
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// The code, as a message shows it: E0310, B0106, S0102.
    code: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let Some(code) = &arguments.code else {
        codes().for_each(|(code, title)| println!("{}  {title}", Style::stdout().cyan(&code)));
        return Ok(Exit::Success);
    };
    let code = match code.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("E{code:0>4}"),
        false => code.to_uppercase(),
    };
    let page = page(&code).ok_or_else(|| unknown(&code))?;
    println!("{}", page.trim_end());
    Ok(Exit::Success)
}

/// The page of `code`: of `docs/errors`, or of the builder programs' own list.
pub(super) fn page(code: &str) -> Option<String> {
    let found = PAGES.iter().find(|(known, _)| *known == code);
    found.map(|(_, text)| (*text).to_owned()).or_else(|| {
        let page = mlp_protocol::failure::find(code)?;
        Some(format!("# {code}: {}\n\n{}\n", page.title, wrapped(page.text)))
    })
}

/// All codes with their titles, sorted.
fn codes() -> impl Iterator<Item = (String, String)> {
    let pages = PAGES.iter().map(|(code, text)| {
        let heading = text.lines().next().unwrap_or_default();
        let title = heading.split_once(": ").map_or(heading, |(_, title)| title);
        ((*code).to_owned(), title.to_owned())
    });
    let builders = mlp_protocol::failure::CODES
        .iter()
        .map(|page| (page.code.to_owned(), page.title.to_owned()));
    let mut all: Vec<_> = pages.chain(builders).collect();
    all.sort();
    all.into_iter()
}

fn unknown(code: &str) -> Refusal {
    let all: Vec<String> = codes().map(|(known, _)| known).collect();
    let near = super::place::nearest(code, all.iter().map(String::as_str));
    Refusal::new(format!("there is no code `{code}`")).hint(match near {
        Some(near) => format!("did you mean {near}? `mlp explain` lists all codes"),
        None => "`mlp explain` lists all codes".to_owned(),
    })
}

/// Lines of at most 80 characters.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last().map_or(0, |line| line.chars().count());
        if last > 0 && last + 1 + word.chars().count() > 80 {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_found_wherever_they_are_written() {
        assert!(page("S0102").unwrap().starts_with("# S0102: "));
        let builder = page("B0106").unwrap();
        assert!(builder.starts_with("# B0106: "));
        assert!(builder.lines().all(|line| line.chars().count() <= 80));
        assert!(page("X9999").is_none());
    }

    #[test]
    fn every_page_is_headed_by_its_code() {
        for (code, text) in PAGES {
            assert!(text.starts_with(&format!("# {code}: ")), "{code}");
        }
    }

    #[test]
    fn an_unknown_code_comes_with_a_near_one() {
        assert!(format!("{:?}", unknown("S0192")).contains("S0102"));
    }
}
