// The web hooks of the configuration: events knows neither http nor crypto, so they meet here.
#pragma once

#include <memory>
#include <vector>

#include "certwright/config/config.h"
#include "certwright/events/feed.h"

namespace certwright::app {

// What each of them needs (its secret, its roots) is read when it is first told of something.
std::vector<std::unique_ptr<events::Subscriber>> MakeWebhooks(const config::Config& config,
                                                              Clock& clock);

// Reads it now. Throws Error(kConfig).
void CheckWebhooks(const config::Config& config);

}  // namespace certwright::app
