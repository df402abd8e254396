// Rules between options: what is refused although every value alone is possible, and what is worth
// a warning.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace tars::config {

class Values;
struct Settings;

// 127.0.0.0/8, ::1 and localhost.
bool is_loopback(std::string_view host);

// config_error of one line naming the option and the fix.
Result<void> check_settings(const Values& values, const Settings& settings);
// Sentences for the log at start.
std::vector<std::string> setting_warnings(const Values& values, const Settings& settings);

}  // namespace tars::config
