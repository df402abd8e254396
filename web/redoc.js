"use strict";

window.Redoc.init(
  "/openapi.json",
  { expandResponses: "200", scrollYOffset: "nav.pages" },
  document.getElementById("api"),
);
