//! Instances driven call by call.

use retake_audio::{Block, ChannelMask};
use retake_plugin_host::{SessionSpec, componentize};
use retake_plugin_manifest::Settings;
use serde_json::json;

use crate::rig::{built, load};

const SPEC: SessionSpec = SessionSpec {
    sample_rate: 48_000,
    channels: 1,
    max_block_frames: 70,
    total_frames: 70,
    seed: 1,
    mask: ChannelMask::NONE,
};

#[test]
fn an_instance_is_asked_opened_and_opened_again() {
    let puppet = load("test-plugins/puppet");
    let deed = |deed: &str| {
        let params = json!({ "deed": deed });
        Settings::resolve(puppet.manifest(), params.as_object().unwrap()).unwrap()
    };
    let mut instance = puppet.instance().unwrap();
    assert_eq!(&instance.describe().unwrap(), puppet.manifest());

    let mut session = instance.open(SPEC, &deed("lag")).unwrap();
    assert_eq!(session.latency_frames(), 777);
    let input = Block::mono(vec![0.25; 70]);
    assert_eq!(session.process(&input).unwrap(), Block::silence(1, 70));
    assert_eq!(session.drain(7).unwrap().frames(), 7);
    assert_eq!(session.report().unwrap()["measurements"][0]["value"], 1);
    assert!(session.memory_bytes() > 0);

    // Shapes are checked here and numbers are not: that is left to whoever drives.
    let mut session = session.close().unwrap().open(SPEC, &deed("nan")).unwrap();
    assert!(session.process(&input).unwrap().plane(0)[3].is_nan());
    let mut session = session
        .close()
        .unwrap()
        .open(SPEC, &deed("more-channels"))
        .unwrap();
    let error = session.process(&input).unwrap_err().to_string();
    assert!(error.contains("returned 2 channels"), "{error}");
}

#[test]
fn what_is_made_a_component_is_one_from_then_on() {
    let module = built("plugins/gain");
    let component = componentize(&module).unwrap().into_owned();
    assert_ne!(component, module);
    assert_eq!(*componentize(&component).unwrap(), component);
    assert!(componentize(b"\0asm").is_err());
}
