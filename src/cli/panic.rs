//! What a bug looks like: a few words, what to send, exit 70. Nothing that a user writes may lead here.

use super::exit::BUG;
use std::panic::PanicHookInfo;

/// Takes over from the default hook. The process ends with the first panic, whichever thread it is in: the store's
/// contract holds after kill -9, so it holds here.
pub(super) fn install() {
    std::panic::set_hook(Box::new(|info| {
        eprintln!(
            "{}",
            report(info, &std::backtrace::Backtrace::force_capture().to_string())
        );
        std::process::exit(BUG.into());
    }));
}

fn report(info: &PanicHookInfo<'_>, backtrace: &str) -> String {
    let said = info
        .payload()
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| info.payload().downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    bug(&said, &place, backtrace)
}

fn bug(said: &str, place: &str, backtrace: &str) -> String {
    format!(
        "error: this is a bug of mlp, not of your pipeline\n\
         {said}\n  at {place}\n\
         hint: please report it with the text from here on, the pipeline if you can share it, and the command\n\n\
         mlp {} on {}\n{}",
        env!("CARGO_PKG_VERSION"),
        std::env::consts::ARCH,
        backtrace.trim_end()
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_bug_says_so_and_what_to_send() {
        let text = super::bug("index out of bounds", "src/a.rs:3:4", "0: main\n");
        assert!(text.starts_with("error: this is a bug of mlp, not of your pipeline\nindex out of bounds\n  at src/a.rs:3:4\nhint: "));
    }
}
