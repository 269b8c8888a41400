// The correction, natively: cc -std=c11 -Ibuild/bindings tests/native.c -lm -o build/native && build/native
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "../plugin.c"

// What the host or the generated code does in the sandbox.
void plugin_string_dup(plugin_string_t *to, const char *text) {
  to->len = strlen(text);
  to->ptr = malloc(to->len + 1);
  memcpy(to->ptr, text, to->len + 1);
}
static session_t *opened_session;
exports_retake_correction_corrector_own_session_t exports_retake_correction_corrector_session_new(
    session_t *session) {
  opened_session = session;
  return (exports_retake_correction_corrector_own_session_t){1};
}
void exports_retake_correction_corrector_list_setting_free(
    exports_retake_correction_corrector_list_setting_t *list) {
  (void)list;
}
void retake_correction_types_block_free(block_t *block) { (void)block; }

static void nothing_exceeds_full_scale(void) {
  setting_t drive = {.value = {.tag = RETAKE_CORRECTION_TYPES_VALUE_FLOAT, .val.float_ = 24.0}};
  exports_retake_correction_corrector_list_setting_t params = {&drive, 1};
  exports_retake_correction_corrector_stream_spec_t stream = {48000, 1, 4800, 4, 1};
  exports_retake_correction_corrector_own_session_t handle;
  plugin_error_t error;
  assert(exports_retake_correction_corrector_static_session_open(&stream, &params, &handle, &error));

  float samples[] = {0.0f, 0.5f, -3.0f, 100.0f};
  plugin_list_f32_t channel = {samples, 4};
  block_t input = {&channel, 1}, output;
  assert(exports_retake_correction_corrector_method_session_process(opened_session, &input, &output,
                                                                    &error));
  for (size_t frame = 0; frame < 4; frame++) assert(fabsf(output.ptr[0].ptr[frame]) <= 1.0f);
  retake_correction_types_report_t report;
  exports_retake_correction_corrector_method_session_report(opened_session, &report);
  assert(report.measurements.ptr[0].value.val.float_ == 0.0);
}

int main(void) {
  nothing_exceeds_full_scale();
  puts("1 passed, 0 failed");
  return 0;
}
