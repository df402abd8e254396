// Any bytes as a model file: a description, or one line that names the option.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "llm/llama/gguf_check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int file = memfd_create("model.gguf", 0);
  if (file < 0 || write(file, data, size) != static_cast<ssize_t>(size)) std::abort();
  const auto found = tars::llm::check_model_file("/proc/self/fd/" + std::to_string(file));
  close(file);
  if (!found) {
    const std::string& message = found.error().message;
    if (message.find("MODEL_PATH") == std::string::npos) std::abort();
    if (message.find('\n') != std::string::npos) std::abort();
  } else if (found->chat_template.empty()) {
    std::abort();
  }
  return 0;
}
