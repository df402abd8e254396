// /asyncapi.json: AsyncAPI 3.0 made from the message tables of the WebSocket.
#pragma once

#include <string>

#include "api/options.h"

namespace tars::api {

// The document as JSON text: src/api/docs/asyncapi_base.json (the texts, schemas and examples) with
// the messages of kClientMessageTypes and kServerFrameTypes, and the codes of the error table.
// `secure`: the server is reached over TLS (wss). std::logic_error names a type that the base does
// not describe.
std::string asyncapi_document(const Options& options, bool secure);

}  // namespace tars::api
