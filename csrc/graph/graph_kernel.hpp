#pragma once
#include <mutex>

#include "graph/ir.hpp"

// A network as a kernel: so command buffers, completions, plans and calls from Python are those of every kernel. Its operands
// are named after its input and output images.
namespace mpskit::graph {

class GraphKernel final : public Kernel {
 public:
  explicit GraphKernel(Network network);  // validates; ValueError
  GraphKernel(const GraphKernel&) = delete;
  GraphKernel& operator=(const GraphKernel&) = delete;

  const Network& network() const { return network_; }
  const KernelType& type() const override { return type_; }
  Layouts infer(std::span<const Layout> inputs, const OutputHints& hints) const override;
  void check(std::span<const Layout> inputs, std::span<const Layout> outputs) const override;
  bool reads_outputs(std::span<const Layout>) const override { return false; }

  // The inputs of the last call; empty before the first.
  Layouts last_inputs() const;

  static const KernelType& shared_type();  // what engines know it by

 private:
  Network network_;
  std::vector<OperandSpec> operands_;
  KernelType type_;

  // Sizes that were inferred or found to fit: walking a network takes longer than calling a small one.
  struct Met {
    Layouts inputs, outputs;
    std::optional<DType> dtype;
    bool is_checked;
  };
  void remember(Met met) const;
  template <class P>
  const Met* recall(P&& fits) const;  // locked by the caller
  mutable std::mutex mutex_;
  mutable std::vector<Met> met_;  // few, the most recent last
};

}  // namespace mpskit::graph
