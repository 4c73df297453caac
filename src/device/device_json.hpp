#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "device/device.hpp"

namespace weir::device {

// JSON for `weir devices --json`, and for the messages of a ChildProbe to its parent.

nlohmann::ordered_json to_json(const memory::Reading& reading);
nlohmann::ordered_json to_json(const Device& device);

/// Reads the JSON of to_json(). A field that is missing or has another type keeps its default, because the JSON may
/// come from a faulty child.
Device device_from_json(const nlohmann::ordered_json& json);

// These functions convert a list to JSON text and back. devices_from_text() returns an empty value if the text is not a
// JSON list.
std::string devices_to_text(const std::vector<Device>& devices);
std::optional<std::vector<Device>> devices_from_text(std::string_view text);

/// Returns JSON as the text of a message between two processes of weir: one line of ASCII. Bytes that are not valid
/// UTF-8 become replacement characters.
std::string to_message_line(const nlohmann::json& json);

}  // namespace weir::device
