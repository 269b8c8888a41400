// Removes a constant offset: a recorder's electronics can leave every sample a little too high or too low,
// which costs headroom and clicks at every cut. The offset is the mean of the whole channel, so it takes
// a pass of its own; subtracting it moves nothing else, unlike a high-pass.

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

typedef retake_correction_types_block_t block_t;
typedef retake_correction_types_measurement_t measurement_t;
typedef exports_retake_correction_corrector_session_t session_t;
typedef exports_retake_correction_corrector_plugin_error_t plugin_error_t;

// Below half a step of 24 bits there is nothing to remove.
static const double OFFSET_MIN = 0.5 / 8388608.0;

struct exports_retake_correction_corrector_session_t {
  size_t channels;
  double sum;  // of hours of audio: a float would stop counting after seconds
  uint64_t frames;
};

#define TEXT(field, text) plugin_string_dup(&(field), (text))

void exports_retake_correction_corrector_describe(
    exports_retake_correction_corrector_manifest_t *manifest) {
  memset(manifest, 0, sizeof *manifest);
  TEXT(manifest->id, "org.retake.examples.dc-offset");
  TEXT(manifest->name, "DC offset");
  TEXT(manifest->version, "0.1.0");
  TEXT(manifest->vendor, "Retake");
  TEXT(manifest->summary, "Removes a constant offset of the waveform.");
  TEXT(manifest->license, "MIT OR Apache-2.0");
  manifest->passes =
      RETAKE_CORRECTION_TYPES_PASSES_ANALYZE | RETAKE_CORRECTION_TYPES_PASSES_PROCESS;
  manifest->channels = RETAKE_CORRECTION_TYPES_CHANNEL_USE_INDEPENDENT;
  manifest->block_quantum = 1;
}

bool exports_retake_correction_corrector_static_session_open(
    exports_retake_correction_corrector_stream_spec_t *stream,
    exports_retake_correction_corrector_list_setting_t *params,
    exports_retake_correction_corrector_own_session_t *opened, plugin_error_t *error) {
  session_t *session = calloc(1, sizeof *session);
  exports_retake_correction_corrector_list_setting_free(params);
  if (session == NULL) {
    error->kind = RETAKE_CORRECTION_TYPES_ERROR_KIND_OUT_OF_MEMORY;
    TEXT(error->message, "there is no memory for a session");
    error->param.is_some = false;
    return false;
  }
  session->channels = stream->channels;
  *opened = exports_retake_correction_corrector_session_new(session);
  return true;
}

void exports_retake_correction_corrector_session_destructor(session_t *session) { free(session); }

uint32_t exports_retake_correction_corrector_method_session_latency(session_t *session) {
  (void)session;
  return 0;
}

static double offset(const session_t *session) {
  double mean = session->frames > 0 ? session->sum / (double)session->frames : 0.0;
  return fabs(mean) < OFFSET_MIN ? 0.0 : mean;
}

bool exports_retake_correction_corrector_method_session_analyze(session_t *session, block_t *input,
                                                                plugin_error_t *error) {
  (void)error;
  const plugin_list_f32_t *channel = &input->ptr[0];
  for (size_t frame = 0; frame < channel->len; frame++) session->sum += channel->ptr[frame];
  session->frames += channel->len;
  retake_correction_types_block_free(input);
  return true;
}

bool exports_retake_correction_corrector_method_session_process(session_t *session, block_t *input,
                                                                block_t *output,
                                                                plugin_error_t *error) {
  (void)error;
  float found = (float)offset(session);
  plugin_list_f32_t *channel = &input->ptr[0];
  for (size_t frame = 0; frame < channel->len; frame++) channel->ptr[frame] -= found;
  *output = *input;
  return true;
}

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
  memset(report, 0, sizeof *report);
  measurement_t *removed = calloc(1, sizeof *removed);
  TEXT(removed->id, "offset");
  TEXT(removed->label, "Offset removed");
  TEXT(removed->unit, "%");
  removed->value.tag = RETAKE_CORRECTION_TYPES_VALUE_FLOAT;
  removed->value.val.float_ = 100.0 * offset(session);
  report->measurements.ptr = removed;
  report->measurements.len = 1;
}
