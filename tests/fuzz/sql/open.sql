SELECT 1; -- kdb:rerunnable
SELECT $tag$ open
