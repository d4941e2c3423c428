-- SPDX-License-Identifier: MIT
-- Coroutines, closures, a growing table and a garbage collector at work; waits by spinning on os.clock.
-- needs: lua5.4
-- start: lua5.4 SOURCE
local log = io.stdout
log:setvbuf("line")

local function counter()
	local n = 0
	return function()
		n = n + 1
		return n
	end
end

local function sums()
	local sum = 0
	while true do
		sum = sum + coroutine.yield(sum)
	end
end

local step, running = counter(), coroutine.wrap(sums)
running()
local texts = {}
while true do
	local n = step()
	local sum = running(n)
	texts[n] = string.rep(tostring(n), 50) .. string.format("%.17g", math.sqrt(n))
	local wrong
	for i = 1, n do
		if texts[i] ~= string.rep(tostring(i), 50) .. string.format("%.17g", math.sqrt(i)) then
			wrong = "text " .. i .. " differs"
		end
	end
	if sum ~= n * (n + 1) // 2 then
		wrong = "the coroutine's sum is " .. sum
	end
	log:write(n, wrong and " bad: " .. wrong or " ok", "\n")
	local start = os.clock()
	while os.clock() - start < 0.02 do
		local _ = { n }
	end
end
