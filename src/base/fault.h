// What an exception says, for a log.
#pragma once

#include <exception>
#include <string>

namespace tars {

// what() of the exception, "unknown" of one that is no std::exception; "" where there is none. Any
// thread.
std::string describe(const std::exception_ptr& fault);

}  // namespace tars
