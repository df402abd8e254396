#include "llm/llama/prepare_model.h"

#include <llama.h>

#include <cerrno>
#include <exception>
#include <system_error>

#include "base/durable_file.h"
#include "llm/llama/gguf_check.h"
#include "llm/llama/llama_log.h"

namespace tars::llm {

Result<void> requantize(const std::filesystem::path& in, const std::filesystem::path& out,
                        std::string_view type) {
  route_llama_log();
  llama_model_quantize_params params = llama_model_quantize_default_params();
  params.allow_requantize = true;
  if (type == "q4_0") {
    params.ftype = LLAMA_FTYPE_MOSTLY_Q4_0;
    params.token_embedding_type = GGML_TYPE_Q8_0;  // also the output matrix of small models
  } else if (type == "q8_0") {
    params.ftype = LLAMA_FTYPE_MOSTLY_Q8_0;
  } else {
    return make_error(ErrorCode::config_error,
                      "unknown weights type '" + std::string(type) + "'; use q4_0 or q8_0");
  }
  // llama.cpp says the same of each of its troubles with a file.
  if (const auto readable = summarize_model_file(in); !readable) {
    return make_error(ErrorCode::io_error,
                      "the model to prepare cannot be read: " + readable.error().message);
  }
  const std::filesystem::path made = out.string() + kPreparing;
  std::string why;
  bool written = false;
  errno = 0;
  try {
    written = llama_model_quantize(in.c_str(), made.c_str(), &params) == 0;
    if (!written) why = last_llama_error();
  } catch (const std::exception& e) {
    why = e.what();
  }
  if (why.find("iostream error") != std::string::npos && errno != 0) {
    why = std::generic_category().message(errno);  // what the stream does not say
  }
  if (written) {
    if (flush_file(made) && rename_and_flush(made, out)) return {};
    why = std::generic_category().message(errno);
  }
  std::error_code ignored;
  std::filesystem::remove(made, ignored);
  return make_error(ErrorCode::io_error,
                    "cannot prepare " + in.string() + " as " + out.string() + ": " + why +
                        "; check that the folder can be written and the disk has room");
}

}  // namespace tars::llm
