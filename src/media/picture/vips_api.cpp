#include "media/picture/vips_api.hpp"

#include "base/threads.hpp"

namespace weir::media {
namespace {

/// Loads and initializes libvips, which is possible only once per process.
Result<VipsApi> load_and_initialize() {
  auto api = load_api<VipsApi>({"libvips.so.42", "libvips 8.13 or later", "libvips42"});
  if (!api) return api;
  if (api->vips_init("weir") != 0)
    return Error{Errc::unsupported, "libvips cannot be initialized: " + api->take_error()};
  api->vips_cache_set_max(0);    // a cache is useless, because each picture is read once
  api->vips_concurrency_set(1);  // weir has threads of its own; one thread requests rows in order
  // weir returns failures as errors, so the libraries must not print them.
  const auto silent = [](const char*, GLogLevelFlags, const char*, void*) {};
  constexpr auto kLevels =
      static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO | G_LOG_LEVEL_CRITICAL);
  for (const char* domain : {"VIPS", "GLib-GObject", "GLib"}) api->g_log_set_handler(domain, kLevels, silent, nullptr);
  return api;
}

}  // namespace

Result<const VipsApi*> VipsApi::get() {
  static const auto loaded = load_and_initialize();
  return to_pointer(loaded);
}

std::string VipsApi::take_error() const {
  char* raw = vips_error_buffer_copy();
  std::string text = raw != nullptr ? raw : "";
  g_free(raw);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos;) text.replace(at, 1, "; ");
  // This message means that GLib cannot start a thread.
  if (text.find("creating thread") != std::string::npos) return thread_start_error().what;
  return text.empty() ? "unknown error" : text;
}

}  // namespace weir::media
