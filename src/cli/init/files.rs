//! What a notebook reads and writes, guessed from the strings in its code: a string that names what is there is read, one
//! that is given to what writes is written. Talks to its module alone.

use super::scan::{Literal, Scan};
use std::path::Path;

/// Guessed of a notebook. Paths are from the project's root; those of outputs from the folder that the script runs in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Files {
    /// Files that are read, and there.
    pub read: Vec<String>,
    /// Folders that are read, and there.
    pub folders: Vec<String>,
    /// Files that are written.
    pub written: Vec<String>,
    /// Folders that are written.
    pub written_folders: Vec<String>,
    /// Files that are read, and not there.
    pub missing: Vec<String>,
    /// Read from outside of the project.
    pub outside: Vec<String>,
    /// Read from the network.
    pub remote: Vec<String>,
}

/// Calls that write the file that they are given.
const WRITERS: &[&str] = &[
    "dump",
    "imsave",
    "imwrite",
    "save",
    "save_file",
    "save_model",
    "savefig",
    "savetxt",
    "savez",
    "savez_compressed",
    "to_csv",
    "to_excel",
    "to_feather",
    "to_hdf",
    "to_html",
    "to_json",
    "to_markdown",
    "to_parquet",
    "to_pickle",
    "write_csv",
    "write_html",
    "write_image",
    "write_parquet",
];

/// Calls that write a folder.
const FOLDER_WRITERS: &[&str] = &["save_pretrained", "save_to_disk"];

/// Calls that read the file that they are given.
const READERS: &[&str] = &[
    "Path",
    "fromfile",
    "genfromtxt",
    "imread",
    "load",
    "load_dataset",
    "load_file",
    "loadtxt",
    "open",
    "read_csv",
    "read_excel",
    "read_feather",
    "read_hdf",
    "read_html",
    "read_image",
    "read_json",
    "read_parquet",
    "read_pickle",
    "read_table",
    "urlopen",
    "urlretrieve",
];

/// Names by which a path is given.
const PATH_ARGUMENTS: &[&str] = &[
    "dst",
    "excel_writer",
    "f",
    "file",
    "file_path",
    "filename",
    "filepath_or_buffer",
    "fname",
    "fp",
    "io",
    "path",
    "path_or_buf",
    "save_directory",
];

/// Guesses from the code of a notebook in the folder `here` of the project `root`.
pub(super) fn guess(scan: &Scan, root: &Path, here: &str) -> Files {
    let mut files = Files::default();
    for (index, literal) in scan.literals.iter().enumerate() {
        let text = literal.text.as_str();
        let named = literal
            .keyword
            .as_deref()
            .is_none_or(|name| PATH_ARGUMENTS.contains(&name));
        if literal.computed || text.is_empty() || text.len() > 200 || text.contains(['\n', '\\', '*', '\0']) {
            continue;
        }
        let next = scan.literals.get(index + 1);
        if text.contains("://") {
            if !literal.call.is_empty() {
                note(&mut files.remote, text);
            }
        } else if named && is_written(literal, next) {
            written(&mut files, literal);
        } else {
            read(&mut files, literal, named, root, here);
        }
    }
    files
}

fn written(files: &mut Files, literal: &Literal) {
    let Some(path) = below("", &literal.text).filter(|_| !literal.text.starts_with('/')) else {
        return note(&mut files.outside, &literal.text);
    };
    match FOLDER_WRITERS.contains(&literal.call.as_str()) {
        true => note(&mut files.written_folders, &path),
        false => note(&mut files.written, &path),
    }
}

fn read(files: &mut Files, literal: &Literal, named: bool, root: &Path, here: &str) {
    let text = literal.text.as_str();
    let is_read = named && READERS.contains(&literal.call.as_str()) && is_path(text);
    let path = match below(here, text) {
        Some(path) if !text.starts_with('/') => path,
        _ => {
            if is_read {
                note(&mut files.outside, text);
            }
            return;
        }
    };
    // What the notebook has written before is its own.
    let own = below("", text).is_some_and(|path| files.written.contains(&path));
    let place = root.join(&path);
    if own || path.is_empty() {
    } else if place.is_file() {
        note(&mut files.read, &path);
    } else if place.is_dir() && (is_read || text.contains('/')) {
        note(&mut files.folders, &path);
    } else if is_read {
        note(&mut files.missing, &path);
    }
}

/// Whether the call writes the file that `literal` names; `next` is the literal after it.
fn is_written(literal: &Literal, next: Option<&Literal>) -> bool {
    let writes =
        |mode: &Literal| !mode.text.is_empty() && mode.text.len() <= 3 && mode.text.contains(['w', 'a', 'x']);
    match (literal.call.as_str(), literal.then.as_deref()) {
        ("open", _) => next.is_some_and(|mode| {
            let same = mode.call == "open" && mode.before.first() == Some(&literal.text);
            same && literal.before.is_empty() && writes(mode)
        }),
        ("Path", Some("write_text" | "write_bytes")) => true,
        ("Path", Some("open")) => next.is_some_and(|mode| mode.call == "open" && writes(mode)),
        (call, _) if FOLDER_WRITERS.contains(&call) => true,
        (call, _) => WRITERS.contains(&call) && is_path(&literal.text),
    }
}

/// Whether it looks like the path of a file: with an ending.
fn is_path(text: &str) -> bool {
    let name = text.rsplit('/').next().unwrap_or(text);
    let ending = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
    ending.is_some_and(|(_, ending)| {
        (1..=11).contains(&ending.len())
            && ending.chars().all(|c| c.is_ascii_alphanumeric())
            && ending.chars().any(|c| c.is_ascii_alphabetic())
    })
}

fn note(list: &mut Vec<String>, path: &str) {
    if !list.iter().any(|known| known == path) {
        list.push(path.to_owned());
    }
}

/// `path` seen from `folder`, both below one root; none where it leaves that.
pub(super) fn below(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(code: &str) -> Files {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("work")).unwrap();
        std::fs::create_dir_all(folder.path().join("work/images")).unwrap();
        for file in ["work/a.csv", "shared.csv", "work/b.txt"] {
            std::fs::write(folder.path().join(file), "").unwrap();
        }
        let mut scan = Scan::default();
        code.lines().for_each(|line| scan.line(line));
        guess(&scan, folder.path(), "work")
    }

    #[test]
    fn what_is_there_is_read() {
        let files = guessed(
            "pd.read_csv('a.csv', sep=';')\nname = '../shared.csv'\nImageFolder('images/')\nos.listdir('b')\n",
        );
        assert_eq!(files.read, ["work/a.csv", "shared.csv"]);
        assert_eq!(files.folders, ["work/images"]);
        assert_eq!(files.missing, [""; 0]);
    }

    #[test]
    fn what_is_given_to_what_writes_is_written() {
        let files = guessed(
            "df.to_csv('out/x.csv', sep='\\t')\nopen('b.txt').read()\nopen('log.txt', 'w')\nopen('n.json', mode='wb')\n\
             Path('p.txt').write_text('a.csv')\nplt.savefig(fname=\"roc.png\")\njson.dump(x, open('m.json', \"w\"))\n\
             model.save_pretrained('net')\npd.read_csv('out/x.csv')\nnp.save(f'{n}.npy', x)\n",
        );
        assert_eq!(
            files.written,
            ["out/x.csv", "log.txt", "n.json", "p.txt", "roc.png", "m.json"]
        );
        assert_eq!(files.written_folders, ["net"]);
        assert_eq!(files.read, ["work/b.txt", "work/a.csv"]);
    }

    #[test]
    fn what_cannot_be_an_input_is_told() {
        let files = guessed(
            "read_csv('none.csv')\nread_csv('/data/x.csv')\nread_csv('../../y.csv')\nread_csv('https://e.org/z.csv')\nprint('3.5')\n",
        );
        assert_eq!(files.missing, ["work/none.csv"]);
        assert_eq!(files.outside, ["/data/x.csv", "../../y.csv"]);
        assert_eq!(files.remote, ["https://e.org/z.csv"]);
    }
}
