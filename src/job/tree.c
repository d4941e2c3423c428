/* SPDX-License-Identifier: MIT */
#include "job/tree.h"

bool tree_has(const struct tree *tree, pid_t pid)
{
	for (size_t i = 0; i < tree->n; i++)
		if (tree->processes[i].pid == pid)
			return true;
	return false;
}
