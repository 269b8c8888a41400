// Beside this file's own address, so that it is found below a path, too.
const description = new URL("../api/v1/openapi.json", document.currentScript.src);

SwaggerUIBundle({
  dom_id: "#reference",
  url: description.href,
  deepLinking: true,
  // Nothing is asked of anybody else.
  validatorUrl: null,
});
