// The model in this process.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "llm/backend.h"
#include "llm/options.h"
#include "telemetry/metrics.h"

namespace tars::llm {

// Checks the file (milliseconds) and answers config_error, naming the option and the fix, when it
// cannot be served. The weights load afterwards on the model's own thread: status() is `starting`
// meanwhile and generate() already accepts. If that fails, status() is unhealthy, everything
// accepted ends with backend_unavailable, and `on_fatal` is called once on the model's thread; it
// must not block.
//
// While starting, a prompt that does not fit ends through on_done with context_overflow instead of
// being refused. `clock` and `metrics` outlive the backend. Bounds: options.slots generations run,
// options.queue_size wait, more are refused with overloaded.
Result<std::unique_ptr<Backend>> open_llama_backend(
    LlamaOptions options, const Clock& clock, telemetry::Metrics& metrics,
    std::function<void(const Error&)> on_fatal = {});

}  // namespace tars::llm
