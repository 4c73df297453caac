#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "device/device.hpp"

namespace weir::device {

/// For `weir devices --json`, and between a probe in a child and its parent.
nlohmann::ordered_json to_json(const memory::Reading& reading);
nlohmann::ordered_json to_json(const Device& device);

/// Back from to_json; what is missing or of another type keeps its default, so nothing that a child writes does harm.
Device device_from_json(const nlohmann::ordered_json& json);

/// A list as text and back. Empty if the text is no list.
std::string devices_to_text(const std::vector<Device>& devices);
std::optional<std::vector<Device>> devices_from_text(std::string_view text);

/// A message between two of our processes: one line of ASCII, also of bytes that are no text.
std::string to_message_line(const nlohmann::json& json);

}  // namespace weir::device
