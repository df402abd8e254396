#include "base/fault.h"

namespace tars {

std::string describe(const std::exception_ptr& fault) {
  if (!fault) return {};
  try {
    std::rethrow_exception(fault);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown";
  }
}

}  // namespace tars
