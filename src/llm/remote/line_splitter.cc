#include "llm/remote/line_splitter.h"

namespace tars::llm {

Error LineSplitter::too_long() const {
  return make_error(ErrorCode::generation_error, "the model server sent a line of more than " +
                                                     std::to_string(max_bytes_) + " bytes");
}

}  // namespace tars::llm
