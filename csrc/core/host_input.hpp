#pragma once
#include "core/engine.hpp"

namespace mpskit {

// An input whose integers decide what an engine encodes, such as the lengths of sequences: a vector of int32 that the host reads when the
// call is made. A call fills it from a list or any integers, `check` sees them before any engine does, and an engine may read them where
// it encodes. Stated once, beside its descriptor's functions: `const HostInput lengths{kernel_type<K>(), "sequence_lengths", check}`.
class HostInput {
 public:
  using Check = void (*)(std::span<const Layout> inputs, std::span<const std::int32_t> values);  // throws when they do not fit
  HostInput(const KernelType& type, std::string_view operand, Check check);
  HostInput(const HostInput&) = delete;
  HostInput& operator=(const HostInput&) = delete;

  static bool is(const KernelType& type, const OperandSpec& spec) { return find(type, spec) != nullptr; }
  static void check(const KernelType& type, const OperandSpec& spec, std::span<const Layout> inputs, const Operand& given);

 private:
  static const HostInput* find(const KernelType& type, const OperandSpec& spec);

  const KernelType* type_;
  std::string_view operand_;
  Check check_;
  const HostInput* next_;
};

}  // namespace mpskit
