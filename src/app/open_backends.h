// Every source of generated text that the options ask for, behind one.
#pragma once

#include <functional>
#include <memory>
#include <ostream>

#include "base/clock.h"
#include "base/error.h"
#include "config/settings.h"
#include "llm/backend.h"
#include "telemetry/metrics.h"

namespace tars::app {

// Makes the model in this process; it loads in the background and says in status() how that went.
using OpenBackend = std::function<Result<std::unique_ptr<llm::Backend>>(
    const llm::LlamaOptions&, const Clock&, telemetry::Metrics&)>;

// The default one first. config_error when the model in this process cannot be served.
Result<std::unique_ptr<llm::Backend>> open_backends(const config::Settings& settings,
                                                    const OpenBackend& open_embedded,
                                                    const Clock& clock,
                                                    telemetry::Metrics& metrics);

// One line for people about each, as the start prints them.
void describe_backends(const config::Settings& settings, std::ostream& out);

}  // namespace tars::app
