//! The cache trusts nobody.

use std::{fs, os::unix::fs::PermissionsExt};

use retake_plugin_host::{Cache, Host, HostError};

use crate::rig::built;

#[test]
fn what_was_installed_is_found_again_and_loads() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path()).unwrap();
    let installed = cache.install(&built("plugins/gain")).unwrap();
    assert_eq!(installed.manifest.id, "org.retake.gain");
    assert_eq!(installed.digest.len(), 64);

    let again = Cache::open(folder.path()).unwrap();
    assert_eq!(
        again.lookup(&installed.digest).unwrap().manifest,
        installed.manifest
    );
    let plugin = Host::new(again).unwrap().load(&installed.digest).unwrap();
    assert_eq!(plugin.manifest(), &installed.manifest);
}

#[test]
fn what_was_not_installed_is_not_found_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path()).unwrap();
    let host = Host::new(cache.clone()).unwrap();
    for digest in [
        "",
        "0",
        "../../etc/passwd",
        &"0".repeat(64),
        &"F".repeat(64),
    ] {
        assert!(cache.lookup(digest).is_none(), "{digest}");
        assert!(
            matches!(host.load(digest), Err(HostError::NotInstalled { .. })),
            "{digest}"
        );
    }
}

#[test]
fn a_folder_others_can_write_to_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [0o777, 0o770, 0o722] {
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
        assert!(
            matches!(
                Cache::open(folder.path()),
                Err(HostError::UnsafeCache { .. })
            ),
            "{mode:o}"
        );
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(Cache::open(folder.path()).is_ok());
}

#[test]
fn a_new_folder_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("a/b");
    Cache::open(&inner).unwrap();
    assert_eq!(
        fs::metadata(&inner).unwrap().permissions().mode() & 0o777,
        0o700
    );
}

#[test]
fn a_manifest_that_was_tampered_with_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::open(folder.path()).unwrap();
    let digest = cache.install(&built("plugins/gain")).unwrap().digest;
    let kept = fs::read_dir(folder.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let json = kept.join(&digest).with_extension("json");
    let text = fs::read_to_string(&json).unwrap();
    for broken in [
        text.replace("\"max\": 24.0", "\"max\": -99.0"),
        String::new(),
        "{}".into(),
    ] {
        assert_ne!(broken, text);
        fs::write(&json, broken).unwrap();
        assert!(cache.lookup(&digest).is_none());
    }
}
