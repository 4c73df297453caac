#pragma once

#include <string>

#include "base/result.hpp"

namespace weir {

/// A library that may be missing on a machine, loaded while running. It stays loaded: drivers' libraries start threads and
/// register handlers that must not lose their code.
class SharedLibrary {
 public:
  /// When its own references are resolved: all at once, so that a broken library says so here; or each at its first call, which
  /// starts faster where hundreds of libraries come with it.
  enum class Binding { now, lazy };

  /// Errors: unsupported with the loader's reason.
  static Result<SharedLibrary> open(const std::string& name, Binding binding = Binding::now);

  /// Points `function` to the symbol; false and null if there is none.
  template <class Function>
  bool find(const char* symbol, Function*& function) const {
    function = reinterpret_cast<Function*>(find_symbol(symbol));
    return function != nullptr;
  }

 private:
  explicit SharedLibrary(void* handle) : handle_{handle} {}
  void* find_symbol(const char* symbol) const;
  void* handle_;
};

}  // namespace weir
