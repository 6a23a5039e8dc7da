#pragma once
#include <concepts>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/dtype.hpp"
#include "core/field.hpp"
#include "core/layout.hpp"

// A kernel is a value: a plain struct of parameters, its descriptor. Beside its data the descriptor states, as static
// members, everything that is made from it: see kernels/README.md.
namespace mpskit {

struct KernelInfo {
  std::string_view name;       // Apple's class without MPS and family
  std::string_view summary;    // one sentence
  std::string_view reference;  // Apple's class and header
  std::string_view notes;      // precision, borders, NaN
};

enum class Role : std::uint8_t { input, output };
enum class Count : std::uint8_t { one, optional, many };  // an optional input may be absent behind the others; many is the last input

struct OperandSpec {
  std::string_view name;  // as it appears in __call__
  Role role;
  Kind kind;
  DTypes dtypes;
  std::string_view doc;
  Count count = Count::one;
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
concept KernelDescriptor = std::equality_comparable<K> && std::default_initializable<K> &&
    requires(const K& k, std::span<const Layout> layouts, const OutputHints& hints) {
  { K::info } -> std::convertible_to<KernelInfo>;
  K::fields;       // std::tuple of Field
  K::operands;     // std::array of OperandSpec, inputs first
  K::tolerances;   // std::array of Tolerance
  { k.infer(layouts, hints) } -> std::same_as<Layouts>;  // outputs for these inputs; throws when there are none
  k.check(layouts, layouts);                             // throws unless these inputs and outputs fit
};

// The same, erased: what dispatch, engines and graphs handle.
struct KernelType {
  std::string_view family;  // Python module: "image", "linalg", "cnn", "rnn"
  KernelInfo info;
  std::span<const OperandSpec> operands;
  std::span<const Tolerance> tolerances;
  // Kernels whose operands differ from object to object (a graph) state a type each; engines know them by this one.
  const KernelType* shared = nullptr;
  const KernelType* identity() const { return shared ? shared : this; }
};

class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual const KernelType& type() const = 0;
  virtual Layouts infer(std::span<const Layout> inputs, const OutputHints& hints) const = 0;
  virtual void check(std::span<const Layout> inputs, std::span<const Layout> outputs) const = 0;
  // True when the outputs' old contents take part (beta != 0, or a clip rectangle that leaves pixels alone).
  virtual bool reads_outputs(std::span<const Layout> outputs) const = 0;
  // The same kernel, writing from this channel of a wider output on; null when it cannot.
  virtual std::shared_ptr<const Kernel> at_channel(std::int64_t channel) const {
    (void)channel;
    return nullptr;
  }
};

// One KernelType per descriptor; its address is its identity. Defined by MPSKIT_KERNEL below each descriptor.
template <class K>
const KernelType& kernel_type();

template <KernelDescriptor K>
class KernelOf final : public Kernel {
 public:
  explicit KernelOf(K value) : value_(std::move(value)) {}
  const K& value() const { return value_; }
  const KernelType& type() const override { return kernel_type<K>(); }
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
  K value_;
};

// Stated once, at the end of each descriptor header; build and bindings find it there.
#define MPSKIT_KERNEL(family_, Name)                                                                           \
  static_assert(::mpskit::KernelDescriptor<::mpskit::family_::Name>);                                          \
  template <>                                                                                                  \
  inline const ::mpskit::KernelType& mpskit::kernel_type<::mpskit::family_::Name>() {                          \
    using K = ::mpskit::family_::Name;                                                                         \
    static const ::mpskit::KernelType type{#family_, K::info, K::operands, K::tolerances};                     \
    return type;                                                                                               \
  }

}  // namespace mpskit
