//! `mlp doctor`: what this machine can do.

use super::exit::{Exit, Refusal};
use super::told::{self, Format};
use crate::engine::doctor::{Finding, Health, examine};
use crate::report::style::Style;

/// See what this machine can do for builds, and what to mend.
///
/// Everything is tried: a sandbox is made and a program run in it, files are written where the store is, tools are asked for
/// their versions. What is missing comes with how to get it. Exit code 1 where nothing could be built as it should.
///
///   mlp doctor
///   mlp doctor --format json
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
pub(super) struct Arguments {
    /// How to write what was found.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[expect(clippy::unnecessary_wraps, reason = "every command may refuse")]
pub(super) fn run(arguments: &Arguments) -> Result<Exit, Refusal> {
    let found = examine();
    match arguments.format {
        Format::Text => print!("{}", text(&found, Style::stdout())),
        Format::Json => told::print_json(&json(&found)),
    }
    Ok(match worst(&found) {
        Health::Broken => Exit::Mend,
        Health::Good | Health::Limited => Exit::Success,
    })
}

fn worst(found: &[Finding]) -> Health {
    let all = found.iter().map(|finding| finding.health);
    all.max().unwrap_or(Health::Good)
}

fn text(found: &[Finding], style: Style) -> String {
    let width = found.iter().map(|finding| finding.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for finding in found {
        let mark = match finding.health {
            Health::Good => style.green("✓"),
            Health::Limited => style.yellow("–"),
            Health::Broken => style.red("✗"),
        };
        text.push_str(&format!("{mark} {:width$}  {}\n", finding.name, finding.says));
        if let Some(help) = finding.help.as_ref().filter(|_| finding.health != Health::Good) {
            text.push_str(&format!("  {:width$}  {} {help}\n", "", style.cyan("help:")));
        }
    }
    text.push_str(match worst(found) {
        Health::Good => "\nEverything that builds need is here.\n",
        Health::Limited => "\nSteps can be built; what is marked – is missing for some of them.\n",
        Health::Broken => "\nSteps cannot be built as they should: mend what is marked ✗.\n",
    });
    text
}

fn json(found: &[Finding]) -> serde_json::Value {
    let checks = found.iter().map(|finding| {
        serde_json::json!({
            "name": finding.name,
            "health": match finding.health {
                Health::Good => "good",
                Health::Limited => "limited",
                Health::Broken => "broken",
            },
            "says": finding.says,
            "help": finding.help,
        })
    });
    serde_json::json!({
        "checks": checks.collect::<Vec<_>>(),
        "can_build": worst(found) != Health::Broken,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_read_from_top_to_bottom() {
        let finding = |name, health, says: &str, help: Option<&str>| Finding {
            name,
            health,
            says: says.to_owned(),
            help: help.map(str::to_owned),
        };
        let found = [
            finding("kernel", Health::Good, "Linux 6.1", Some("of no use")),
            finding(
                "namespaces",
                Health::Broken,
                "cannot mount /proc",
                Some("run the container otherwise"),
            ),
            finding("nix", Health::Limited, "is not here", Some("install it")),
        ];
        insta::assert_snapshot!(text(&found, Style::PLAIN));
        assert_eq!(json(&found)["can_build"], false);
        assert!(text(&found[2..], Style::PLAIN).contains("Steps can be built"));
    }
}
