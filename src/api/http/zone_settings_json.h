// Settings of a zone as JSON.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "zone/settings.h"

namespace quorate::api {

// Every setting that clients may set: "name": "value".
nlohmann::json SettingsToJson(const zone::Settings& settings);

}  // namespace quorate::api
