#include "llm/llama/cpu_kernels.h"

#include <ggml-backend.h>
#include <ggml-cpu.h>

#include <filesystem>
#include <mutex>

#include "llm/llama/llama_log.h"

namespace tars::llm {
namespace {

ggml_backend_dev_t cpu() { return ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU); }

// The functions that stand in the kernels' library: where it is loaded at run time they cannot be
// linked.
template <typename Function>
Function* find_function(const char* name) {
  ggml_backend_dev_t device = cpu();
  if (device == nullptr) return nullptr;
  void* found = ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device), name);
  return reinterpret_cast<Function*>(found);
}

void stop_threads(ggml_threadpool* pool) {
  if (auto* stop = find_function<decltype(ggml_threadpool_free)>("ggml_threadpool_free")) {
    stop(pool);
  }
}

}  // namespace

Result<void> load_cpu_kernels() {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  if (cpu() != nullptr) return {};
  route_llama_log();
  std::error_code error;
  const auto folder = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  // Named, because ggml itself would also take libraries from the working directory.
  ggml_backend_load_all_from_path(folder.c_str());
  if (cpu() != nullptr) return {};
  return make_error(ErrorCode::config_error,
                    "no libggml-cpu-*.so in " + folder.string() +
                        " runs on this CPU; they belong beside the program, copy them there too");
}

ThreadPool start_threads(int threads) {
  ThreadPool pool(nullptr, &stop_threads);
  ggml_threadpool_params params = ggml_threadpool_params_default(threads);
  params.poll = 0;  // idle workers sleep
  if (auto* start = find_function<decltype(ggml_threadpool_new)>("ggml_threadpool_new")) {
    pool.reset(start(&params));
  }
  return pool;
}

}  // namespace tars::llm
