// The option table and the options in effect, written out for people. Pure text in, text out.
#pragma once

#include <string>

#include "config/values.h"

namespace tars::config {

// docs/reference/options.md: one markdown table a group.
std::string options_markdown();
// .env.example: every option as a commented line below its sentence.
std::string options_dotenv();
// `NAME = value  (origin)` for each option; secrets only as set or not, credentials in addresses
// left out.
std::string effective_options(const Values& values);

}  // namespace tars::config
