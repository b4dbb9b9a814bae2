-- provost.lua - Dovecot asks provost-authd whether a password is right
-- SPDX-License-Identifier: BSD-2-Clause
--
-- A passdb for Dovecot 2.3 (see auth.conf and dovecot.txt). One connection and
-- one send for each login: user, password, protocol, an empty realm, and the
-- client's address, each behind its length in two bytes. Three answers stay
-- three: let in, under the name of the mailbox; wrong; and nobody can tell
-- now, which IMAP calls [UNAVAILABLE] and POP3 [SYS/TEMP].

-- The socket of dovecot.txt, step 2.
local PATH = "/run/provost/dovecot"
-- provost-authd answers within 8 seconds whatever happens.
local SECONDS = 10
-- In bytes. Longer names and passwords are nobody's, and LuaSocket would cut a
-- request of more than 8192 bytes in two.
local USER_MAX, PASSWORD_MAX, REPLY_MAX = 1024, 4096, 1023

local unix = require "socket.unix"

local function field(text)
  return string.pack(">s2", text or "")
end

local function client_of(request)
  local address = request.remote_ip
  if not address or address == "" then
    return ""
  end
  return address .. ";" .. (request.remote_port or 0)
end

-- Returns the reply without its length, or nil and what went wrong.
local function ask(frame)
  local length, reply, done
  local socket, err = unix()
  if not socket then
    return nil, err
  end
  socket:settimeout(SECONDS, "b")
  socket:settimeout(SECONDS, "t")
  done, err = socket:connect(PATH)
  if done then
    done, err = socket:send(frame)
  end
  if done then
    length, err = socket:receive(2)
  end
  if length then
    length = string.unpack(">I2", length)
    if length < 2 then
      err = "it cannot tell at present"
    elseif length > REPLY_MAX then
      err = "its reply is over-long"
    else
      reply, err = socket:receive(length)
    end
  end
  socket:close()
  return reply, err
end

local function no_answer(request, err)
  request:log_error("provost: " .. PATH .. ": " .. err)
  return dovecot.auth.PASSDB_RESULT_INTERNAL_FAILURE, {}
end

function auth_password_verify(request, password)
  if #request.user > USER_MAX or #password > PASSWORD_MAX then
    return dovecot.auth.PASSDB_RESULT_PASSWORD_MISMATCH, {}
  end
  local reply, err = ask(field(request.user) .. field(password) ..
    field(request.service) .. field("") .. field(client_of(request)))
  if not reply then
    return no_answer(request, err)
  end
  if reply:sub(1, 2) == "NO" then
    return dovecot.auth.PASSDB_RESULT_PASSWORD_MISMATCH, {}
  end
  -- A bare "OK" names no mailbox: Dovecot would open the one that was typed.
  local address = reply:match("^OK ([^%c%s]+)$")
  if not address then
    return no_answer(request, "its reply is no reply")
  end
  return dovecot.auth.PASSDB_RESULT_OK, { user = address }
end
