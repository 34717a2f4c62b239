// Package redislog is the change log on Redis, for the instances of one service.
package redislog
