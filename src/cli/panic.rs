//! What a bug looks like: a few words, what to send, exit 70. Nothing that a user writes may lead here.

use super::exit::{BUG, Exit};
use std::panic::PanicHookInfo;

/// Takes over from the default hook. The process ends with the first panic, whichever thread it is in: the store's
/// contract holds after kill -9, so it holds here.
pub(super) fn install() {
    std::panic::set_hook(Box::new(|info| {
        let said = said(info);
        if let Some(code) = unread(&said) {
            std::process::exit(code.into());
        }
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = std::backtrace::Backtrace::force_capture().to_string();
        eprintln!("{}", bug(&said, &place, &backtrace));
        std::process::exit(BUG.into());
    }));
}

fn said(info: &PanicHookInfo<'_>) -> String {
    let text = info
        .payload()
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    let text = text.or_else(|| info.payload().downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".to_owned())
}

/// How to end where `println!` panicked: quietly when the reader has gone (`mlp explain | head`), as something to mend when
/// what was printed could not be written.
fn unread(said: &str) -> Option<u8> {
    let printing = said.starts_with("failed printing to ");
    printing.then(|| {
        if said.contains("Broken pipe") {
            Exit::Success.code()
        } else {
            Exit::Mend.code()
        }
    })
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
    use super::*;

    #[test]
    fn a_reader_that_has_gone_is_no_bug() {
        assert_eq!(
            unread("failed printing to stdout: Broken pipe (os error 32)"),
            Some(0)
        );
        assert_eq!(
            unread("failed printing to stdout: No space left on device (os error 28)"),
            Some(1)
        );
        assert_eq!(unread("index out of bounds"), None);
    }

    #[test]
    fn a_bug_says_so_and_what_to_send() {
        let text = bug("index out of bounds", "src/a.rs:3:4", "0: main\n");
        assert!(text.starts_with("error: this is a bug of mlp, not of your pipeline\nindex out of bounds\n  at src/a.rs:3:4\nhint: "));
    }
}
