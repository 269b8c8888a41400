//! Pictures and the stream that compares, made by the child.

use retake_runner::child::{CompareForm, Look, PeakForm};

use crate::{chains::Bench, support::recording};

const FRAMES: u32 = 48_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_leaves_the_peaks_of_recording_and_correction() {
    let bench = Bench::new(recording(FRAMES));
    let report = bench.succeeds(&[]).await;
    let (input, output) = (&report.input_pyramid, &report.pyramid);
    let peaks = std::fs::read(input).unwrap();
    assert_eq!(&peaks[..8], b"RTKPEAK1");
    // Nothing was corrected.
    assert_eq!(peaks, std::fs::read(output).unwrap());
    bench
        .looks(Look::Peaks(PeakForm::Pyramid), "peaks")
        .await
        .unwrap();
    assert_eq!(peaks, std::fs::read(bench.path("peaks")).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_picture_is_made_and_nothing_else_is_left() {
    let bench = Bench::new(recording(FRAMES));
    for form in [PeakForm::Pyramid, PeakForm::Dat, PeakForm::Json] {
        let looked = bench.looks(Look::Peaks(form), "made").await.unwrap();
        assert_eq!(looked.frames, u64::from(FRAMES));
        assert!(std::fs::metadata(bench.path("made")).unwrap().len() > 90);
    }
    std::fs::create_dir(bench.path("tiles")).unwrap();
    let wanted = Look::Spectrogram {
        columns_per_second: 1_000,
        from_column: 0,
        to_column: u64::MAX,
    };
    let looked = bench.looks(wanted, "tiles").await.unwrap();
    let tile = std::fs::read(bench.path("tiles").join("0.png")).unwrap();
    assert!(tile.starts_with(b"\x89PNG"));
    assert_eq!(looked.frames, u64::from(FRAMES));
    assert!(looked.findings.is_empty(), "{:?}", looked.findings);
    let wanted = Look::Compare {
        correction: bench.path("in"),
        cuts: Vec::new(),
        form: CompareForm::Webm,
    };
    let looked = bench.looks(wanted, "compared").await.unwrap();
    assert!(
        !looked
            .findings
            .iter()
            .any(|found| found.code == "compare-length-differs")
    );
    assert!(
        std::fs::read(bench.path("compared"))
            .unwrap()
            .starts_with(b"\x1a\x45\xdf\xa3")
    );
    assert_eq!(std::fs::read_dir(bench.path("scratch")).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_do_not_belong_together_are_told_apart_by_their_length() {
    let bench = Bench::new(recording(FRAMES));
    std::fs::write(bench.path("other"), recording(FRAMES / 2)).unwrap();
    let wanted = Look::Compare {
        correction: bench.path("other"),
        cuts: Vec::new(),
        form: CompareForm::Webm,
    };
    let looked = bench.looks(wanted, "compared").await.unwrap();
    let said = looked
        .findings
        .iter()
        .find(|found| found.code == "compare-length-differs");
    assert!(
        said.unwrap().message.contains("500.0 ms longer"),
        "{said:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_recording_has_no_picture() {
    let bench = Bench::new(b"not a sound");
    assert!(
        bench
            .looks(Look::Peaks(PeakForm::Dat), "made")
            .await
            .is_err()
    );
    assert!(!bench.path("made").exists());
}
