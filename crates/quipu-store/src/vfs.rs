//! The SQLite file system of an open database: the given files under their overlays, and SQLite's own files in memory.
//!
//! Each database registers its own file system, so that databases share nothing. The registration call is the only `unsafe` in this module.

use super::cache::SharedCache;
use super::overlay::OverlayFile;
use hashbrown::HashMap;
use rsqlite_vfs::{
    AccessMode, DeviceCharacteristics, LockLevel, OpenAccess, OpenOptions, OpenRequest, OpenedFile, OsCallback, SQLiteIoMethods, SQLiteVfs,
    SyncOptions, VfsError, VfsErrorCode, VfsFile, VfsRegistration, VfsResult, VfsStore, register_vfs,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A file of the file system; shared with the database.
pub(super) type SharedFile = Rc<RefCell<OverlayFile>>;

/// Name of the main database within its file system.
pub(super) const MAIN: &str = "/main.db";

pub(super) struct Handle {
    file: SharedFile,
    immutable: bool,
}

impl VfsFile for Handle {
    fn read(&mut self, buf: &mut [u8], offset: u64) -> VfsResult<usize> {
        self.file.borrow().read(buf, offset).map_err(|error| VfsError::new(VfsErrorCode::IoRead, error.to_string().into()))
    }

    fn write(&mut self, buf: &[u8], offset: u64) -> VfsResult<()> {
        let outcome = self.file.borrow_mut().write(buf, offset);
        outcome.map_err(|error| VfsError::new(VfsErrorCode::IoRead, error.to_string().into()))
    }

    fn truncate(&mut self, size: u64) -> VfsResult<()> {
        self.file.borrow_mut().truncate(size);
        Ok(())
    }

    fn sync(&mut self, _: SyncOptions) -> VfsResult<()> {
        Ok(())
    }

    fn size(&self) -> VfsResult<u64> {
        Ok(self.file.borrow().len())
    }

    // There is one connection per file system, so locks are not needed.
    fn lock(&mut self, _: LockLevel) -> VfsResult<()> {
        Ok(())
    }

    fn unlock(&mut self, _: LockLevel) -> VfsResult<()> {
        Ok(())
    }

    fn check_reserved_lock(&self) -> VfsResult<bool> {
        Ok(false)
    }

    fn device_characteristics(&self) -> DeviceCharacteristics {
        if self.immutable {
            DeviceCharacteristics::IMMUTABLE.union(DeviceCharacteristics::SUBPAGE_READ)
        } else {
            DeviceCharacteristics::SUBPAGE_READ
        }
    }
}

pub(super) struct Files {
    named: RefCell<HashMap<String, SharedFile>>,
    immutable: bool,
    error: RefCell<Option<VfsError>>,
    os: Neutral,
}

/// Platform functions for SQLite: no clock and no randomness, because reading needs neither.
struct Neutral(Cell<u64>);

impl OsCallback for Neutral {
    fn sleep(&self, _: Duration) {}

    fn random(&self, buf: &mut [u8]) -> usize {
        for byte in buf.iter_mut() {
            let next = self.0.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            self.0.set(next);
            *byte = (next >> 56) as u8;
        }
        buf.len()
    }

    fn epoch_timestamp_in_ms(&self) -> VfsResult<i64> {
        Ok(0)
    }
}

pub(super) struct Store;

impl VfsStore for Store {
    type File = Handle;
    type AppData = Files;

    fn record_error(files: &Files, error: VfsError) {
        files.error.replace(Some(error));
    }

    fn last_error(files: &Files) -> Option<VfsError> {
        files.error.borrow().clone()
    }

    fn open_file(files: &Files, request: OpenRequest<'_>) -> VfsResult<OpenedFile<Handle>> {
        let options = request.options;
        let fresh = || Rc::new(RefCell::new(OverlayFile::empty()));
        let file = match request.filename {
            None => fresh(),
            Some(name) => {
                let mut named = files.named.borrow_mut();
                match named.get(name.path()) {
                    Some(file) => file.clone(),
                    None if options.create() => named.entry(name.path().into()).insert(fresh()).get().clone(),
                    None => return Err(VfsError::new(VfsErrorCode::CantOpen, "no such file".into())),
                }
            }
        };
        let main = request.filename.is_some_and(|name| name.path() == MAIN);
        let access = if files.immutable && main { OpenAccess::ReadOnly } else { options.access() };
        Ok(OpenedFile { file: Handle { file, immutable: files.immutable && main }, access })
    }

    fn close_file(_: &Files, _: Option<&str>, _: Handle, _: OpenOptions) -> VfsResult<()> {
        Ok(())
    }

    fn access(files: &Files, name: &str, _: AccessMode) -> VfsResult<bool> {
        Ok(files.named.borrow().contains_key(name))
    }

    fn full_pathname(_: &Files, name: &str) -> VfsResult<String> {
        Ok(name.into())
    }

    fn delete_file(files: &Files, name: &str, _: bool) -> VfsResult<()> {
        files.named.borrow_mut().remove(name);
        Ok(())
    }
}

pub(super) struct Io;

impl SQLiteIoMethods for Io {
    type Store = Store;
}

pub(super) struct Vfs;

impl SQLiteVfs<Io> for Vfs {
    type Os = dyn OsCallback;

    fn os(files: &Files) -> &Self::Os {
        &files.os
    }
}

/// A registered file system. Unregistered when dropped, which must happen after its connection.
pub(super) struct FileSystem {
    registration: Option<VfsRegistration<Files>>,
    pub(super) name: String,
}

impl FileSystem {
    /// Registers a file system with the main database and its companion files under SQLite's suffixes.
    pub(super) fn register(main: &SharedCache, companions: Vec<(&str, SharedCache)>, immutable: bool) -> Result<FileSystem, String> {
        let mut named = HashMap::new();
        let shared = |cache: SharedCache| Rc::new(RefCell::new(OverlayFile::over(cache)));
        named.insert(MAIN.to_owned(), shared(main.clone()));
        for (suffix, cache) in companions {
            named.insert(format!("{MAIN}{suffix}"), shared(cache));
        }
        FileSystem::register_files(named, immutable)
    }

    /// Registers a file system with an empty main database to write to. Also returns its file.
    pub(super) fn register_empty() -> Result<(FileSystem, SharedFile), String> {
        let main = Rc::new(RefCell::new(OverlayFile::empty()));
        let files = FileSystem::register_files(HashMap::from_iter([(MAIN.to_owned(), main.clone())]), false)?;
        Ok((files, main))
    }

    fn register_files(named: HashMap<String, SharedFile>, immutable: bool) -> Result<FileSystem, String> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("quipu-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let files = Files { named: RefCell::new(named), immutable, error: RefCell::new(None), os: Neutral(Cell::new(1)) };
        // SAFETY: callbacks and layouts are the defaults; the name is new; and only this thread's connection uses the file system, which
        // `Database` closes before dropping this registration.
        #[expect(unsafe_code, reason = "SQLite takes raw pointers to a file system")]
        let registration = unsafe { register_vfs::<Io, Vfs>(&name, files, false) }.map_err(|error| error.to_string())?;
        Ok(FileSystem { registration: Some(registration), name })
    }
}

impl Drop for FileSystem {
    fn drop(&mut self) {
        if let Some(registration) = self.registration.take() {
            // SAFETY: `Database` drops its connection first, so no file of this file system is open. On failure the registration is leaked,
            // which is safe.
            #[expect(unsafe_code, reason = "reverses the registration")]
            let _ = unsafe { registration.unregister() };
        }
    }
}
