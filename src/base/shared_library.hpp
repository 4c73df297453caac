#pragma once

#include <string>

#include "base/result.hpp"

namespace weir {

/// A library that may be missing on a machine and is loaded at run time. It is never unloaded, because drivers'
/// libraries start threads and register handlers whose code must stay in memory.
class SharedLibrary {
 public:
  /// When the library's undefined symbols are resolved. `now` resolves all of them in open(), so that a broken library
  /// fails there; `lazy` resolves each at its first call, which starts faster when the library depends on hundreds of
  /// others.
  enum class Binding { now, lazy };

  /// Loads a library by its file name ("libvulkan.so.1") or path. Errors: unsupported, with the loader's reason.
  static Result<SharedLibrary> open(const std::string& name, Binding binding = Binding::now);

  /// Sets `function` to the address of the symbol. Returns false and sets null if there is no such symbol.
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
