"""Misreadings of the step, made by hand."""

from tests.mutation.by_hand import Misreading

STEP = (
    Misreading(
        "one norm over trunk and heads",
        "second_pass.py",
        'if setting.norm == "joint":',
        "if True:",
        "eq. 7 and 11: separate balls",
    ),
    Misreading(
        "the joint norm adds the lengths",
        "second_pass.py",
        "math.hypot(shared_norm, head_norm)",
        "(shared_norm + head_norm)",
        "the length of both parts together",
    ),
    Misreading(
        "the flat gradient is the SAM gradient",
        "second_pass.py",
        "torch.sub(self.spare, row, out=self.spare)\n",
        "pass\n",
        "eq. 16: the difference",
    ),
    Misreading(
        "the flat gradient with the other sign",
        "second_pass.py",
        "torch.sub(self.spare, row, out=self.spare)\n",
        "torch.sub(row, self.spare, out=self.spare)\n",
        "eq. 16: SAM minus loss",
    ),
    Misreading(
        "one aggregation of the sum",
        "step.py",
        "setting = Setting(rho_shared, rho_heads, combine, norm, adaptive, same_noise)",
        'setting = Setting(rho_shared, rho_heads, "direct" if combine == "decomposed" else combine, norm, adaptive, '
        "same_noise)",
        "two aggregations, one a family",
    ),
    Misreading(
        "heads are updated with the plain gradient",
        "step.py",
        "write_gradients(blocks, step.result, step.heads, first.heads)",
        "write_gradients(blocks, step.result, first.heads, first.heads)",
        "heads receive their SAM gradient",
    ),
    Misreading(
        "running statistics are moved by the second pass",
        "transaction.py",
        "            buffers, random = self._kept\n            buffers.restore()\n",
        "            buffers, random = self._kept\n",
        "buffers as the first pass left them",
    ),
    Misreading(
        "running statistics are moved by no pass",
        "transaction.py",
        "            buffers, random = self._kept\n            buffers.restore()\n",
        "            buffers, random = self._kept\n            self._buffers.restore()\n",
        "buffers as the first pass left them",
    ),
    Misreading(
        "parameters are restored by adding and subtracting",
        "transaction.py",
        "parameter.copy_(start)",
        "parameter.add_(start - parameter)",
        "bit for bit",
    ),
    Misreading(
        "a head is restored by adding and subtracting",
        "second_pass.py",
        "parameter.copy_(start)",
        "parameter.add_(start - parameter)",
        "bit for bit",
    ),
    Misreading(
        "a head stays perturbed while the next task is done",
        "second_pass.py",
        "                for parameter, start in zip(head, own, strict=True):\n                    "
        "parameter.copy_(start)\n",
        "                pass\n",
        "every task perturbs its own head only",
    ),
    Misreading(
        "perturbations of the tasks pile up in the trunk",
        "second_pass.py",
        "move(parameter, start, piece.to(start.dtype), factor, adaptive=adaptive)",
        "move(parameter, parameter.detach().clone(), piece.to(start.dtype), factor, adaptive=adaptive)",
        "every task starts at theta",
    ),
    Misreading(
        "all heads are perturbed along the first task's gradient norm",
        "second_pass.py",
        "shared_norm, head_norm = self.first.shared_norms[task], self.first.head_norms[task]",
        "shared_norm, head_norm = self.first.shared_norms[task], self.first.head_norms[0]",
        "each head has its own ball",
    ),
    Misreading(
        "the radii are exchanged",
        "second_pass.py",
        "factor = head_radius_factor(head_norm, setting.rho_heads)",
        "factor = head_radius_factor(head_norm, setting.rho_shared)",
        "rho_ns is the heads' radius",
    ),
    Misreading(
        "heads are not perturbed",
        "second_pass.py",
        "                move(parameter, start, gradient, factor, adaptive=adaptive)",
        "                pass",
        "eq. 7",
    ),
    Misreading(
        "perturbation downhill",
        "perturb.py",
        "torch.add(start, step, alpha=factor, out=parameter.detach())",
        "torch.add(start, step, alpha=-factor, out=parameter.detach())",
        "the worst case is uphill",
    ),
    Misreading(
        "adaptive moves by |w| g",
        "perturb.py",
        "step = start * start * gradient if adaptive else gradient",
        "step = start.abs() * gradient if adaptive else gradient",
        "w^2 g / || |w| g ||",
    ),
    Misreading(
        "adaptive balls have the plain norm",
        "perturb.py",
        "return parameter.abs() * gradient if adaptive else gradient",
        "return gradient",
        "w^2 g / || |w| g ||",
    ),
    Misreading(
        "the radius is not divided by the norm",
        "perturb.py",
        '''    """
    return rho / norm if norm > 0 else 0.0


def head_radius_factor''',
        '''    """
    return rho if norm > 0 else 0.0


def head_radius_factor''',
        "eq. 11: the gradient's direction",
    ),
    Misreading(
        "an epsilon in the norm",
        "perturb.py",
        '''    """
    return rho / norm if norm > 0 else 0.0


def dual_weight''',
        '''    """
    return rho / (norm + 1e-12)


def dual_weight''',
        "zero by cases, not by + 1e-12",
    ),
    Misreading(
        "an epsilon in the trunk's norm",
        "perturb.py",
        '''    """
    return rho / norm if norm > 0 else 0.0


def head_radius_factor''',
        '''    """
    return rho / (norm + 1e-12)


def head_radius_factor''',
        "zero by cases, not by + 1e-12",
    ),
    Misreading(
        "a tiny gradient's factor is applied at once",
        "perturb.py",
        "if factor > _FACTOR:",
        "if False:",
        "the factor may exceed the dtype's range",
    ),
    Misreading(
        ".grad is overwritten",
        "task_gradients.py",
        "parameter.grad.add_(gradient)",
        "parameter.grad.copy_(gradient)",
        ".grad is added to, as backward does",
    ),
    Misreading(
        ".grad aliases a kept buffer",
        "task_gradients.py",
        "gradient.to(parameter.dtype, copy=True)",
        "gradient.to(parameter.dtype)",
        ".grad never aliases the workspace",
    ),
    Misreading(
        "an unreached parameter gets a zero gradient",
        "task_gradients.py",
        "            if touched:\n",
        "            if True:\n",
        "what no task reaches keeps what it had",
    ),
    Misreading(
        "a parameter that one task misses gets nothing",
        "task_gradients.py",
        "reached = [any(",
        "reached = [all(",
        "one task that reaches it is enough",
    ),
    Misreading(
        "a parameter that a task misses keeps the last row's piece",
        "task_gradients.py",
        "                piece.zero_()\n",
        "                pass\n",
        "it counts as zero",
    ),
    Misreading(
        "fresh noise in the second pass",
        "second_pass.py",
        "transaction.rewind(random=self.setting.same_noise)",
        "transaction.rewind(random=False)",
        "same_noise replays the numbers of pass 1",
    ),
    Misreading(
        "the noise is replayed although it was not asked for",
        "second_pass.py",
        "transaction.rewind(random=self.setting.same_noise)",
        "transaction.rewind(random=True)",
        "same_noise=False draws fresh numbers",
    ),
    Misreading(
        "the random states of the second pass remain",
        "step.py",
        "transaction.keep(random=same_noise)",
        "transaction.keep(random=False)",
        "random states as pass 1 left them",
    ),
    Misreading(
        "every perturbed forward moves the running statistics on",
        "transaction.py",
        '''"""Buffers (and, if asked, random states) of the entry."""
        self._buffers.restore()
''',
        '''"""Buffers (and, if asked, random states) of the entry."""
''',
        "every forward starts at the entry's buffers",
    ),
    Misreading(
        "buffers stay as they are after an exception",
        "transaction.py",
        "            self._buffers.restore()\n            self._random.restore()\n",
        "            self._random.restore()\n",
        "everything comes back",
    ),
    Misreading(
        "random states stay as they are after an exception",
        "transaction.py",
        "            self._buffers.restore()\n            self._random.restore()\n",
        "            self._buffers.restore()\n",
        "everything comes back",
    ),
    Misreading(
        "the generator stays drawn after an exception",
        "transaction.py",
        "self.generator.set_state(self._drawn)",
        "self._drawn = None",
        "everything comes back",
    ),
    Misreading(
        "a replaced buffer is not put back",
        "transaction.py",
        "                _buffers_of(owner)[name] = buffer\n",
        "                pass\n",
        "the same tensor, the same bits",
    ),
    Misreading(
        "persistent buffers only",
        "transaction.py",
        "            for name, buffer in _buffers_of(owner).items():\n",
        "            for name, buffer in _buffers_of(owner).items():\n"
        '                if name in vars(owner)["_non_persistent_buffers_set"]:\n'
        "                    continue\n",
        "all buffers",
    ),
    Misreading(
        "a number is drawn before the loss family draws",
        "step.py",
        "        step.aggregate_loss()\n        if setting.perturbs:",
        "        generator is not None and torch.rand(1, generator=generator)\n        step.aggregate_loss()\n"
        "        if setting.perturbs:",
        "the loss family takes the generator's first numbers",
    ),
    Misreading(
        "decomposed keeps the loss part only",
        "second_pass.py",
        "            self.result.add_(self.spare)\n",
        "            pass\n",
        "A(g^loss) + A(g^flat)",
    ),
    Misreading(
        "decomposed is the mean of both parts",
        "second_pass.py",
        "            self.result.add_(self.spare)\n",
        "            self.result.add_(self.spare).mul_(0.5)\n",
        "A(g^loss) + A(g^flat)",
    ),
    Misreading(
        "each aggregates the flat parts only",
        "second_pass.py",
        '        if self.setting.combine == "each":\n            self._aggregate_pair(task)\n        else:\n',
        "        if True:\n",
        "A over tasks of A(loss, flat)",
    ),
    Misreading(
        "rho = 0 runs a second pass",
        "second_pass.py",
        "return self.rho_shared > 0 or self.rho_heads > 0",
        "return True",
        "without a radius there is no second pass",
    ),
    Misreading(
        "a second pass needs both radii",
        "second_pass.py",
        "return self.rho_shared > 0 or self.rho_heads > 0",
        "return self.rho_shared > 0 and self.rho_heads > 0",
        "one radius is enough",
    ),
    Misreading(
        "the joint ball takes any radii",
        "second_pass.py",
        'if self.norm == "joint" and self.rho_shared != self.rho_heads:',
        "if False:",
        "one ball has one radius",
    ),
    Misreading(
        "gradients are aggregated before they are averaged",
        "first_pass.py",
        "        reduce(rows)\n",
        "        pass\n",
        "across processes the task gradients are averaged first",
    ),
    Misreading(
        "the second pass is not averaged",
        "second_pass.py",
        "                reduce(self.spare)\n",
        "                pass\n",
        "both passes are averaged",
    ),
    Misreading(
        "heads of the first pass are not averaged",
        "first_pass.py",
        "        reduce_heads(heads, reduce)\n",
        "        pass\n",
        "every task gradient is averaged",
    ),
)
