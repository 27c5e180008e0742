//! Files of a checkout, which may be anybody's: regular ones alone, up to a size, and never written through a symbolic link,
//! which may lead anywhere.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

/// More than any workflow, policy or profile has.
pub(crate) const LARGEST: u64 = 1024 * 1024;

/// A regular file's text, whatever leads there.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    // What is not a regular file is not even opened: a FIFO would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let text = read_bounded(File::open(path)?)?;
    String::from_utf8(text).map_err(|_| io::Error::other("it is not UTF-8"))
}

/// As `read`, of a file to which no link below the folder leads.
pub(crate) fn read_below(folder: &Path, path: &str) -> io::Result<String> {
    refuse_links_below(folder, Path::new(path))?;
    read(&folder.join(path))
}

/// All of a stream that has an end, up to the size.
pub(crate) fn read_bounded(stream: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= LARGEST) {
        return Ok(bytes);
    }
    let why = format!("it has more than {} KiB", LARGEST / 1024);
    Err(io::Error::other(why))
}

/// Gives a regular file another text, all at once: whoever reads it meanwhile reads the old or the new one.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    refuse_links(path)?;
    let metadata = path.symlink_metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    // WASI shows no permissions, which reads as none; its host refuses what it must.
    if cfg!(not(target_family = "wasm")) && metadata.permissions().readonly() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let fresh = beside(path);
    let written = create(&fresh, text)
        .and_then(|file| {
            file.set_permissions(metadata.permissions())
                .or_else(none_to_set)
        })
        // A link that has come meanwhile is replaced, not followed.
        .and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written
}

/// Makes a file that is not there yet, with its folders.
pub(crate) fn create_new(path: &Path, text: &str) -> io::Result<()> {
    refuse_links(path)?;
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    create(path, text).map(drop)
}

/// A new file, which no link can stand for: the system refuses a name that is taken.
fn create(path: &Path, text: &str) -> io::Result<File> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// WASI has no permissions.
fn none_to_set(error: io::Error) -> io::Result<()> {
    match error.kind() {
        io::ErrorKind::Unsupported => Ok(()),
        _ => Err(error),
    }
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}", fastrand::u64(..)));
    path.with_file_name(name)
}

/// Of a relative path every part is looked at: a link in a checkout is its author's. What leads to an absolute one is this
/// machine's own.
fn refuse_links(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|_| path.is_absolute());
    let folder = folder.unwrap_or(Path::new(""));
    refuse_links_below(folder, path.strip_prefix(folder).unwrap_or(path))
}

fn refuse_links_below(folder: &Path, path: &Path) -> io::Result<()> {
    let mut part = folder.to_owned();
    for component in path.components() {
        part.push(component);
        let is_name = matches!(component, Component::Normal(_));
        if is_name
            && part
                .symlink_metadata()
                .is_ok_and(|found| found.is_symlink())
        {
            let why = format!(
                "`{}` is a symbolic link, which is not followed",
                part.display()
            );
            return Err(io::Error::other(why));
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn folder(name: &str) -> io::Result<PathBuf> {
        let folder = std::env::temp_dir().join(format!("sprinters-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    #[test]
    fn a_file_is_replaced_and_a_link_is_not() -> io::Result<()> {
        let folder = folder("replace")?;
        let (file, link) = (folder.join("file"), folder.join("link"));
        fs::write(&file, "old")?;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640))?;
        symlink(&file, &link)?;
        replace(&file, "new")?;
        assert_eq!(read(&link)?, "new");
        assert_eq!(file.metadata()?.permissions().mode() & 0o777, 0o640);
        assert!(replace(&link, "other").is_err() && read_below(&folder, "link").is_err());
        assert!(create_new(&link, "other").is_err() && create_new(&file, "other").is_err());
        assert!(replace(&folder, "other").is_err() && read(&folder).is_err());
        assert_eq!(
            fs::read_dir(&folder)?.count(),
            2,
            "nothing is left beside them"
        );
        assert_eq!(read(&file)?, "new");
        fs::remove_dir_all(folder)
    }

    #[test]
    fn a_folder_may_be_a_link_as_well() -> io::Result<()> {
        let folder = folder("folders")?;
        create_new(&folder.join("elsewhere/file"), "text")?;
        symlink(folder.join("elsewhere"), folder.join(".github"))?;
        assert!(read_below(&folder, ".github/file").is_err());
        assert_eq!(read_below(&folder, "elsewhere/file")?, "text");
        fs::remove_dir_all(folder)
    }

    #[test]
    fn a_dangling_link_makes_no_file() -> io::Result<()> {
        let folder = folder("dangling")?;
        let (target, link) = (folder.join("target"), folder.join("link"));
        symlink(&target, &link)?;
        assert!(create_new(&link, "text").is_err());
        assert!(!target.exists());
        create_new(&folder.join("a/b/c"), "text")?;
        assert_eq!(read(&folder.join("a/b/c"))?, "text");
        fs::remove_dir_all(folder)
    }

    #[test]
    fn nothing_is_read_without_an_end() -> io::Result<()> {
        let folder = folder("bounded")?;
        let file = folder.join("file");
        fs::write(&file, " ".repeat(1024 * 1024))?;
        assert!(read(&file).is_ok());
        fs::write(&file, " ".repeat(1024 * 1024 + 1))?;
        assert!(read(&file).is_err_and(|error| error.to_string().contains("1024 KiB")));
        assert!(read_bounded(io::repeat(b' ')).is_err());
        assert!(read(Path::new("/dev/zero")).is_err());
        fs::remove_dir_all(folder)
    }
}
