// Rounds peaks off instead of clipping them. Replace it with your correction: everything a plugin
// needs is here. What each function must do stands in wit/correction.wit.
//
// No stdio, files, clock or environment: the build would import them from the system, and a plugin may
// import nothing but the host's log and its stream's layout.

#include <math.h>
#include <stdlib.h>

#include "plugin.h"

// Shorter names for what the contract calls by its full ones.
typedef retake_correction_types_block_t block_t;
typedef retake_correction_types_measurement_t measurement_t;
typedef retake_correction_types_param_t param_t;
typedef retake_correction_types_setting_t setting_t;
typedef exports_retake_correction_corrector_session_t session_t;
typedef exports_retake_correction_corrector_plugin_error_t plugin_error_t;

// One stream being corrected.
struct exports_retake_correction_corrector_session_t {
  float drive;
  float peak;
  size_t channels;
};

// Strings that are handed out are freed by the caller, so each is a copy.
#define TEXT(field, text) plugin_string_dup(&(field), (text))

void exports_retake_correction_corrector_describe(
    exports_retake_correction_corrector_manifest_t *manifest) {
  TEXT(manifest->id, "@ID@");  // for ever: stored chains refer to it
  TEXT(manifest->name, "@TITLE@");
  TEXT(manifest->version, "0.1.0");
  TEXT(manifest->vendor, "Example");
  TEXT(manifest->summary, "Rounds peaks off instead of clipping them.");
  TEXT(manifest->license, "MIT");
  manifest->passes = RETAKE_CORRECTION_TYPES_PASSES_PROCESS;
  manifest->channels = RETAKE_CORRECTION_TYPES_CHANNEL_USE_INDEPENDENT;
  manifest->max_channels = 0;   // any number
  manifest->sample_rates.len = 0;  // any rate
  manifest->block_quantum = 1;
  manifest->extras.len = 0;

  param_t *drive = calloc(1, sizeof *drive);
  TEXT(drive->id, "drive-db");  // for ever, too
  TEXT(drive->label, "Drive");
  TEXT(drive->help, "Gain before the curve: the more, the rounder.");
  TEXT(drive->unit, "dB");
  TEXT(drive->group, "");
  drive->kind.tag = RETAKE_CORRECTION_TYPES_PARAM_KIND_FLOAT;
  drive->kind.val.float_.min = 0.0;
  drive->kind.val.float_.max = 24.0;
  drive->kind.val.float_.default_ = 6.0;
  drive->kind.val.float_.step.is_some = false;
  drive->kind.val.float_.scale = RETAKE_CORRECTION_TYPES_SCALE_LINEAR;
  manifest->params.ptr = drive;
  manifest->params.len = 1;
}

// `params` holds every parameter once, in the order of `describe`, each within its range.
bool exports_retake_correction_corrector_static_session_open(
    exports_retake_correction_corrector_stream_spec_t *stream,
    exports_retake_correction_corrector_list_setting_t *params,
    exports_retake_correction_corrector_own_session_t *opened, plugin_error_t *error) {
  session_t *session = calloc(1, sizeof *session);
  if (session == NULL) {
    error->kind = RETAKE_CORRECTION_TYPES_ERROR_KIND_OUT_OF_MEMORY;
    TEXT(error->message, "there is no memory for a session");
    error->param.is_some = false;
    return false;
  }
  session->drive = (float)pow(10.0, params->ptr[0].value.val.float_ / 20.0);
  session->channels = stream->channels;
  *opened = exports_retake_correction_corrector_session_new(session);
  exports_retake_correction_corrector_list_setting_free(params);
  return true;
}

void exports_retake_correction_corrector_session_destructor(session_t *session) { free(session); }

uint32_t exports_retake_correction_corrector_method_session_latency(session_t *session) {
  (void)session;
  return 0;
}

bool exports_retake_correction_corrector_method_session_analyze(session_t *session, block_t *input,
                                                                plugin_error_t *error) {
  (void)session, (void)error;
  retake_correction_types_block_free(input);
  return true;
}

// The input is ours: it is changed in place and handed back.
bool exports_retake_correction_corrector_method_session_process(session_t *session, block_t *input,
                                                                block_t *output,
                                                                plugin_error_t *error) {
  (void)error;
  for (size_t channel = 0; channel < input->len; channel++) {
    float *samples = input->ptr[channel].ptr;
    for (size_t frame = 0; frame < input->ptr[channel].len; frame++) {
      samples[frame] = tanhf(samples[frame] * session->drive);
      session->peak = fmaxf(session->peak, fabsf(samples[frame]));
    }
  }
  *output = *input;
  return true;
}

// Every block was answered in full: nothing is held back.
bool exports_retake_correction_corrector_method_session_drain(session_t *session,
                                                              uint32_t max_frames, block_t *output,
                                                              plugin_error_t *error) {
  (void)max_frames, (void)error;
  output->ptr = calloc(session->channels, sizeof *output->ptr);
  output->len = session->channels;
  return true;
}

void exports_retake_correction_corrector_method_session_report(
    session_t *session, retake_correction_types_report_t *report) {
  measurement_t *peak = calloc(1, sizeof *peak);
  TEXT(peak->id, "peak");
  TEXT(peak->label, "Peak");
  TEXT(peak->unit, "dB");
  peak->value.tag = RETAKE_CORRECTION_TYPES_VALUE_FLOAT;
  peak->value.val.float_ = 20.0 * log10(session->peak);
  report->measurements.ptr = peak;
  report->measurements.len = 1;
  report->curves.ptr = NULL;
  report->curves.len = 0;
}
