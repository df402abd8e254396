// Whether a secret's file is for more than its owner.
#pragma once

#include <filesystem>

namespace tars::config {

// May every user of this machine read it, and can that be changed? false for what is no file, and
// where a container engine laid it.
bool is_open_to_others(const std::filesystem::path& file);

}  // namespace tars::config
