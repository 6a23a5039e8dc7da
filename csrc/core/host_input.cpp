#include "core/host_input.hpp"

namespace mpskit {
namespace {

const HostInput* first_host_input = nullptr;  // few: a list

}  // namespace

HostInput::HostInput(const KernelType& type, std::string_view operand, Check check) : type_(&type), operand_(operand), check_(check), next_(first_host_input) { first_host_input = this; }

const HostInput* HostInput::find(const KernelType& type, const OperandSpec& spec) {
  if (spec.role != Role::input || spec.kind != Kind::vector) return nullptr;
  const HostInput* h = first_host_input;
  while (h && (h->type_ != type.identity() || h->operand_ != spec.name)) h = h->next_;
  return h;
}

void HostInput::check(const KernelType& type, const OperandSpec& spec, std::span<const Layout> inputs, const Operand& given) {
  const HostInput* h = find(type, spec);
  if (h && given.storage) h->check_(inputs, {reinterpret_cast<const std::int32_t*>(given.data()), static_cast<std::size_t>(given.layout.length())});
}

}  // namespace mpskit
