// What is on the disk once these have returned: a file, and what a folder says of its files.
#pragma once

#include <filesystem>

namespace tars {

// All: false with errno set when it cannot be done. Block until the disk has answered. Any thread.

// The file's bytes.
bool flush_file(const std::filesystem::path& file);
// Makes what was created, renamed or removed in the folder last. A network or shared folder that
// knows no such thing is no error: there is nothing more to do.
bool flush_folder(const std::filesystem::path& folder);
// `to` is then the whole file or, after a crash on the way, what it was before.
bool rename_and_flush(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace tars
