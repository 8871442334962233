//! What a configuration is made of: the file, what it names, and what was given besides it.
//!
//! The only place that touches files.
//!
//! Invariant: no more than [`FILE_BYTES_MAX`] bytes of a file are read.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::mode::MyId;
use crate::properties::{Properties, decoded};

/// What a configuration is made of.
pub(super) struct Sources<'a> {
    pub(super) file: &'a str,
    /// The file that was read, not only named.
    pub(super) path: Option<PathBuf>,
    pub(super) properties: Properties,
    pub(super) text: Option<String>,
    pub(super) overrides: &'a [(String, String)],
    /// Name and content of `dynamicConfigFile`.
    pub(super) dynamic: Option<(String, Vec<u8>)>,
    /// Name and content of `<file>.dynamic.next`.
    pub(super) next: Option<(String, Vec<u8>)>,
    pub(super) my_id: MyId,
    /// What went wrong before.
    pub(super) errors: Vec<Error>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(file: &'a str, text: &[u8], overrides: &'a [(String, String)]) -> Self {
        let mut errors = Vec::new();
        let properties = Properties::parse_what_can_be(file, text, &mut errors);
        Self {
            file,
            path: None,
            properties,
            text: Some(decoded(text)),
            overrides,
            dynamic: None,
            next: None,
            my_id: MyId::NotLookedFor,
            errors,
        }
    }

    /// Reads what stands beside the file or is named in it.
    pub(super) fn read_neighbours(&mut self, path: &Path) {
        self.path = Some(path.to_owned());
        let value_of = |key| {
            let value = self.properties.lookup(key)?.value.trim();
            (!value.is_empty()).then(|| PathBuf::from(value))
        };
        let (dynamic, data_dir) = (value_of("dynamicConfigFile"), value_of("dataDir"));
        if let Some(path) = dynamic {
            match read_file(&path) {
                Ok(text) => self.dynamic = Some((path.display().to_string(), text)),
                Err(error) => self.errors.push(error),
            }
        }
        let mut next = path.as_os_str().to_owned();
        next.push(".dynamic.next");
        let next = PathBuf::from(next);
        if let Some(text) = self.read_if_there(&next) {
            self.next = Some((next.display().to_string(), text));
        }
        if let Some(path) = data_dir.map(|data_dir| data_dir.join("myid")) {
            let faults = self.errors.len();
            self.my_id = match self.read_if_there(&path) {
                Some(text) => MyId::Found(path, text),
                None if self.errors.len() > faults => MyId::NotLookedFor,
                None => MyId::Missing(path),
            };
        }
    }

    fn read_if_there(&mut self, path: &Path) -> Option<Vec<u8>> {
        match read_file(path) {
            Ok(text) => Some(text),
            Err(Error::FileUnreadable { source, .. })
                if source.kind() == io::ErrorKind::NotFound =>
            {
                None
            }
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }
}

/// The text of the zoo.cfg itself.
pub(super) fn read_config(path: &Path) -> Result<Vec<u8>, Error> {
    read_file(path).map_err(|error| match error {
        Error::FileUnreadable { path, source } if source.kind() == io::ErrorKind::NotFound => {
            Error::FileMissing { path, remedy: "name an existing zoo.cfg" }
        }
        other => other,
    })
}

/// Configurations are small; a device or a log file given by mistake is not read to its end.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let unreadable = |source| Error::FileUnreadable { path: path.to_owned(), source };
    let mut text = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(unreadable)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > FILE_BYTES_MAX) {
        return Err(Error::FileTooLarge { path: path.to_owned(), limit: FILE_BYTES_MAX });
    }
    Ok(text)
}
