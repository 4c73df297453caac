#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace weir::jobs {

using Json = nlohmann::json;

/// A JSON object, nested at most 16 deep. Never throws. Errors: corrupt.
Result<Json> parse_object(std::string_view text);

/// Compact text. Bytes that are not UTF-8 become replacement characters; paths are encoded before.
std::string dump(const Json& json);

/// Fields of an object; a missing field or one of another type reads as empty, 0, false.
std::string text_field(const Json& object, const char* key);
double number_field(const Json& object, const char* key);
std::uint64_t count_field(const Json& object, const char* key);
bool bool_field(const Json& object, const char* key);
Bytes bytes_field(const Json& object, const char* key);
Json object_field(const Json& object, const char* key);  ///< `{}` if there is none

/// Any path as UTF-8 and back: '%', control characters and bytes that are not UTF-8 are written as %XX.
std::string encode_path(const std::filesystem::path& path);
std::filesystem::path decode_path(std::string_view text);

/// Texts or paths, of any bytes (encode_path).
template <class Texts>
Json encode_texts(const Texts& texts) {
  Json json = Json::array();
  for (const auto& text : texts) json.push_back(encode_path(text));
  return json;
}
/// Those again; none if there is no such list.
std::vector<std::string> encoded_texts_field(const Json& object, const char* key);

Json to_json(const Error& error);
Error error_from_json(const Json& json);  ///< unsupported for a code that is not known

}  // namespace weir::jobs
