#pragma once
#include <concepts>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/dtype.hpp"
#include "core/layout.hpp"
#include "core/value.hpp"

// A kernel is a value: a plain struct of parameters, its descriptor. Beside its data the descriptor states, as static
// members, everything that is made from it: see kernels/README.md.
namespace mpskit {

enum class Role : std::uint8_t { input, output };
// An optional input may be absent behind the others; many is the last input, or the last output: `infer` then tells how many. An optional
// output is made when the call asks for it.
enum class Count : std::uint8_t { one, optional, many };

// Looks at an input whose integers decide what an engine encodes, such as the lengths of sequences; throws when they do not fit.
using HostCheck = void (*)(std::span<const Layout> inputs, std::span<const std::int32_t> values);

struct OperandSpec {
  std::string_view name;  // as it appears in __call__
  Role role;
  Kind kind;
  DTypes dtypes;
  std::string_view doc;
  Count count = Count::one;
  std::string_view word = {};  // another established word for an optional operand; of an output, Apple's record that its words make up
  bool is_single = false;      // an output without the axis of a batch, whatever the inputs have
  bool is_lasting = false;     // an output that encode() makes outlives the command buffer
  // Of a vector of int32 that the host reads when the call is made: a call fills it from a list or any integers, this check sees
  // them before any engine does, and an engine may read them where it encodes.
  HostCheck host_check = nullptr;
};

// Largest allowed error of an element against the exact result, per dtype of the output. For unorm outputs `absolute` is
// in codes.
struct Tolerance {
  DType dtype;
  double absolute;
  double relative;
  std::string_view why;
};

// What the caller may ask of an output that it did not give: another element type, another channel count.
struct OutputHints {
  std::optional<DType> dtype;
  std::optional<std::int64_t> channels;
};

using Layouts = std::vector<Layout>;

template <class K>
concept KernelDescriptor = ValueDescriptor<K> &&
    requires(const K& k, std::span<const Layout> layouts, const OutputHints& hints) {
  K::operands;     // std::array of OperandSpec, inputs first
  K::tolerances;   // std::array of Tolerance
  { k.infer(layouts, hints) } -> std::same_as<Layouts>;  // outputs for these inputs; throws when there are none
  k.check(layouts, layouts);                             // throws unless these inputs and outputs fit
};

class Kernel;

// The same, erased: what dispatch, engines and graphs handle.
struct KernelType {
  std::string_view family;
  KernelInfo info;
  std::span<const OperandSpec> operands;
  std::span<const Tolerance> tolerances;
  // Kernels whose operands differ from object to object (a graph) state a type each; engines know them by this one.
  const KernelType* shared = nullptr;
  const ValueType* value = nullptr;  // its parameters; null when they are no value
  std::shared_ptr<const Kernel> (*make)(const void* value) = nullptr;
  const KernelType* identity() const { return shared ? shared : this; }
};

class Kernel {
 public:
  Kernel() = default;
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  virtual ~Kernel() = default;
  virtual const KernelType& type() const = 0;
  virtual const void* parameters() const { return nullptr; }  // of type().value
  virtual Layouts infer(std::span<const Layout> inputs, const OutputHints& hints) const = 0;
  virtual void check(std::span<const Layout> inputs, std::span<const Layout> outputs) const = 0;
  // True when the outputs' old contents take part (beta != 0, or a clip rectangle that leaves pixels alone).
  virtual bool reads_outputs(std::span<const Layout> outputs) const = 0;
  // True when the first output may be the first input: the same bytes in the same layout.
  virtual bool works_in_place() const { return false; }
  // The same kernel, writing from this channel of a wider output on; null when it cannot.
  virtual std::shared_ptr<const Kernel> at_channel(std::int64_t channel) const {
    (void)channel;
    return nullptr;
  }

  // What an engine made from the parameters alone, such as weights in its own form: plans for different layouts share it, and it
  // goes with the last of them. `key` is an address that only its maker knows. make() runs unlocked, for it may load and call back.
  template <class T, class Make>
  std::shared_ptr<const T> part(const void* key, Make&& make) const {
    if (std::shared_ptr<const void> found = find_part(key)) return std::static_pointer_cast<const T>(std::move(found));
    std::shared_ptr<const T> made = make();
    keep_part(key, made);
    return made;
  }
  void forget_parts() const;  // what they were made from has changed

 private:
  std::shared_ptr<const void> find_part(const void* key) const;
  void keep_part(const void* key, const std::shared_ptr<const void>& part) const;

  mutable std::mutex parts_mutex_;
  mutable std::vector<std::pair<const void*, std::weak_ptr<const void>>> parts_;
};

// One KernelType per descriptor; its address is its identity. Declared by MPSKIT_KERNEL below each descriptor.
template <class K>
const KernelType& kernel_type();

template <KernelDescriptor K>
class KernelOf final : public Kernel {
 public:
  explicit KernelOf(K value) : value_(std::move(value)) {
    if constexpr (has_own_operands) {
      own_.operands = value_.call_operands();
      own_.type = kernel_type<K>();
      own_.type.operands = own_.operands;
      own_.type.shared = &kernel_type<K>();
    }
  }
  const K& value() const { return value_; }
  const void* parameters() const override { return &value_; }
  const KernelType& type() const override {
    if constexpr (has_own_operands) return own_.type;
    else return kernel_type<K>();
  }
  Layouts infer(std::span<const Layout> inputs, const OutputHints& hints) const override {
    return value_.infer(inputs, hints);
  }
  void check(std::span<const Layout> inputs, std::span<const Layout> outputs) const override {
    value_.check(inputs, outputs);
  }
  bool reads_outputs(std::span<const Layout> outputs) const override {
    if constexpr (requires { value_.reads_outputs(outputs); }) return value_.reads_outputs(outputs);
    else return false;
  }
  bool works_in_place() const override {
    if constexpr (requires { value_.works_in_place(); }) return value_.works_in_place();
    else return false;
  }
  std::shared_ptr<const Kernel> at_channel(std::int64_t channel) const override {
    if constexpr (requires(K k) { k.destination_feature_channel_offset += channel; }) {
      K moved = value_;
      moved.destination_feature_channel_offset += channel;
      return std::make_shared<const KernelOf>(std::move(moved));
    } else {
      (void)channel;
      return nullptr;
    }
  }

 private:
  static constexpr bool has_own_operands = requires(const K& k) { { k.call_operands() } -> std::same_as<std::vector<OperandSpec>>; };
  struct Own {
    std::vector<OperandSpec> operands;
    KernelType type;
  };
  struct None {};

  K value_;
  [[no_unique_address]] std::conditional_t<has_own_operands, Own, None> own_;
};

template <KernelDescriptor K>
KernelType make_kernel_type() {
  const ValueType& value = value_type<K>();
  return {value.family, K::info, K::operands, K::tolerances, nullptr, &value, [](const void* v) -> std::shared_ptr<const Kernel> {
            return std::make_shared<const KernelOf<K>>(*static_cast<const K*>(v));
          }};
}

// All of them. Written by the build: the folders are the lists.
std::span<const KernelType* const> kernel_types();

// Stated once, at the end of each descriptor header; build and bindings find it there, and the build writes the source that
// holds the definition.
#define MPSKIT_KERNEL(family_, Name)                                                \
  static_assert(::mpskit::KernelDescriptor<::mpskit::family_::Name>);               \
  template <>                                                                       \
  const ::mpskit::ValueType& mpskit::value_type<::mpskit::family_::Name>();         \
  template <>                                                                       \
  const ::mpskit::KernelType& mpskit::kernel_type<::mpskit::family_::Name>();

#define MPSKIT_DEFINE_KERNEL(family_, Name)                                                                      \
  MPSKIT_DEFINE_VALUE(family_, Name)                                                                             \
  template <>                                                                                                    \
  const ::mpskit::KernelType& mpskit::kernel_type<::mpskit::family_::Name>() {                                   \
    static const ::mpskit::KernelType type = ::mpskit::make_kernel_type<::mpskit::family_::Name>();              \
    return type;                                                                                                 \
  }

}  // namespace mpskit
