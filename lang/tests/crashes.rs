//! Texts that once broke something, found by the fuzz targets: `crashes/<target>/<name>`. A new one is put there as it is,
//! under a name that says what it was about.

mod hold;

use std::path::Path;

#[test]
fn nothing_breaks_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crashes");
    let mut count = 0;
    for (target, holds) in hold::ALL {
        let Ok(entries) = std::fs::read_dir(folder.join(target)) else {
            continue;
        };
        let mut paths: Vec<_> = entries
            .map(|entry| entry.expect("it can be read").path())
            .collect();
        paths.sort();
        for path in paths {
            eprintln!("{}", path.display());
            let bytes = std::fs::read(&path).expect("it can be read");
            hold::on_main_stack(move || holds(&bytes));
            count += 1;
        }
    }
    assert!(count > 0, "no text was found");
}
